/** How a person was proved, in words that others read. */

/** The registered values of `amr` (RFC 8176, section 2), and no others. */
export const amrValues = [
  ...(['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'mca', 'mfa', 'otp', 'pin', 'pwd'] as const),
  ...(['rba', 'retina', 'sc', 'sms', 'swk', 'tel', 'user', 'vbm', 'wia'] as const),
] as const;

export type Amr = (typeof amrValues)[number];

/** What another provider said of somebody whom it has proved (core/upstream), in place of a password. */
export interface ProvedElsewhere {
  /** The provider's id in the settings. */
  readonly provider: string;
  readonly amr: readonly Amr[];
  /** The `auth_time`: seconds since the epoch. */
  readonly at: number;
  /** Its word stands for a second factor as well: none is asked for here. */
  readonly enough: boolean;
}
