import type { Kind } from './kinds.ts';

/** Seconds. */
export const DAY = 86_400;

interface About {
  readonly sentence: string;
  readonly example: string;
  /** Never shown, and may come from a file that `NAME_FILE` names. */
  readonly secret?: true;
}

export interface Setting<V> extends About {
  readonly kind: Kind<NonNullable<V>>;
  readonly fallback: V;
  /** The default in words, for the reference. */
  readonly otherwise: string;
}

export function setting<T>(
  kind: Kind<T & {}>,
  fallback: T & {},
  about: About & { otherwise?: string },
): Setting<T & {}> {
  return { kind, fallback, ...about, otherwise: about.otherwise ?? `\`${String(fallback)}\`` };
}

/** A setting without a fixed default; `otherwise` describes what happens if it is not set. */
export function optional<T>(kind: Kind<T & {}>, otherwise: string, about: About): Setting<(T & {}) | undefined> {
  return { kind, fallback: undefined, otherwise, ...about };
}
