/** How a person was proved, in words that others read. */

/** The registered values of `amr` (RFC 8176, section 2), and no others. */
export const amrValues = [
  ...(['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'mca', 'mfa', 'otp', 'pin', 'pwd'] as const),
  ...(['rba', 'retina', 'sc', 'sms', 'swk', 'tel', 'user', 'vbm', 'wia'] as const),
] as const;

export type Amr = (typeof amrValues)[number];

/** What a person knows, has, and is. The other words say nothing of it: that somebody was there, from where, over which channels. */
const kinds: readonly (readonly Amr[])[] = [
  ['kba', 'pin', 'pwd'],
  ['hwk', 'otp', 'sc', 'sms', 'swk', 'tel'],
  ['face', 'fpt', 'iris', 'retina', 'vbm'],
];

/** What another said, with `mfa` where its methods are of two kinds, since that is what is gone by here. Two of one kind are lost together. */
export function withTwoFactors(amr: readonly Amr[]): readonly Amr[] {
  const known = kinds.filter((kind) => kind.some((word) => amr.includes(word)));
  return known.length > 1 ? [...new Set<Amr>([...amr, 'mfa'])] : amr;
}

/** How and when somebody signed in to a session of theirs that stands. */
export interface ProvedBefore {
  readonly amr: readonly Amr[];
  /** Of the last sign-in as a whole, the `auth_time`: seconds since the epoch; 0: nobody knows. */
  readonly at: number;
}

/** What another provider said of somebody whom it has proved (core/upstream), in place of a password. */
export interface ProvedElsewhere {
  /** The provider's id in the settings. */
  readonly provider: string;
  readonly amr: readonly Amr[];
  /** The `auth_time`: seconds since the epoch; 0: nobody knows. */
  readonly at: number;
  /** It has asked for two factors, and its word for that is trusted: none is asked for here. */
  readonly enough: boolean;
}
