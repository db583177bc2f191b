/** How a user was authenticated, as clients see it in `amr`. */

/** The registered values of `amr` (RFC 8176, section 2), and no others. */
export const amrValues = [
  'face',
  'fpt',
  'geo',
  'hwk',
  'iris',
  'kba',
  'mca',
  'mfa',
  'otp',
  'pin',
  'pwd',
  'rba',
  'retina',
  'sc',
  'sms',
  'swk',
  'tel',
  'user',
  'vbm',
  'wia',
] as const;

export type Amr = (typeof amrValues)[number];

/** Knowledge, possession and inherence. The other values say nothing about a factor: presence, location, channels. */
const kinds: readonly (readonly Amr[])[] = [
  ['kba', 'pin', 'pwd'],
  ['hwk', 'otp', 'sc', 'sms', 'swk', 'tel'],
  ['face', 'fpt', 'iris', 'retina', 'vbm'],
];

/**
 * Adds `mfa` to the `amr` of another provider if its methods are of two kinds, because this server looks for `mfa`. Two
 * factors of one kind can be lost together.
 */
export function withTwoFactors(amr: readonly Amr[]): readonly Amr[] {
  const known = kinds.filter((kind) => kind.some((word) => amr.includes(word)));
  return known.length > 1 ? [...new Set<Amr>([...amr, 'mfa'])] : amr;
}

/** How and when the user signed in to a session that is live. */
export interface ProvedBefore {
  readonly amr: readonly Amr[];
  /** The `auth_time` of the last full sign-in: seconds since the epoch; 0: unknown. */
  readonly at: number;
}

/** What another provider says about a user that it authenticated (core/upstream), instead of a password. */
export interface ProvedElsewhere {
  /** The provider's id in the settings. */
  readonly provider: string;
  readonly amr: readonly Amr[];
  /** The `auth_time`: seconds since the epoch; 0: unknown. */
  readonly at: number;
  /** The provider asked for two factors and is trusted for that, so this server asks for none. */
  readonly enough: boolean;
}
