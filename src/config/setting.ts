import type { Kind } from './kinds.ts';

/** Seconds. */
export const DAY = 86_400;

interface About {
  readonly sentence: string;
  readonly example: string;
  /** Never shown, and may come from a file named by `NAME_FILE`. */
  readonly secret?: true;
}

export interface Setting<V> extends About {
  readonly kind: Kind<NonNullable<V>>;
  readonly fallback: V;
  /** The default in words, as the reference prints it. */
  readonly otherwise: string;
}

export function setting<T>(
  kind: Kind<T & {}>,
  fallback: T & {},
  about: About & { otherwise?: string },
): Setting<T & {}> {
  return { kind, fallback, ...about, otherwise: about.otherwise ?? `\`${String(fallback)}\`` };
}

/** A setting that may be absent, or whose default follows from others; `otherwise` says what then happens. */
export function optional<T>(kind: Kind<T & {}>, otherwise: string, about: About): Setting<(T & {}) | undefined> {
  return { kind, fallback: undefined, otherwise, ...about };
}
