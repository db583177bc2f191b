import type { Surface } from '../http/surface.ts';

export const surfaces: readonly ((deps: object) => Surface)[] = [];
