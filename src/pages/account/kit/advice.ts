/**
 * How well an account is protected, and the one step that would help most. Pure: the overview gives it what it has read
 * anyway.
 */
import { codesPage, securityPage } from './security-pages.ts';

export const adviceKinds = [
  'password-only',
  'provider-only',
  'codes-unsaved',
  'codes-none',
  'email-unverified',
  'email-none',
  'codes-few',
  'nothing-to-do',
  'strong',
] as const;
type AdviceKind = (typeof adviceKinds)[number];

export interface Advice {
  readonly kind: AdviceKind;
  readonly good: boolean;
  /** Where to take the step. */
  readonly to?: string | undefined;
  /** What can be added, if that is the step. */
  readonly add?: 'passkey' | 'app' | undefined;
  /** Recovery codes that are left, if there are few. */
  readonly count?: number | undefined;
}

export interface Protection {
  readonly hasPassword: boolean;
  /** A passkey or another second factor is set up. */
  readonly twoFactor: boolean;
  /** Undefined if no recovery codes are needed: they replace a factor that follows a password. */
  readonly codesLeft: number | undefined;
  /** The person has shown that the codes are saved, or needs none. */
  readonly codesSaved: boolean;
  /** Undefined if this server sends no mails. */
  readonly email: 'none' | 'unverified' | 'verified' | undefined;
  /** The best second way that this server lets a person add. */
  readonly adds: 'passkey' | 'app' | undefined;
}

const few = 3;
const email = '/account/email';
/** The part of the page that is about it. */
const codes = `${securityPage}#codes`;

/** The worst comes first. */
export function adviceFor(protection: Protection): Advice {
  const { hasPassword, twoFactor, codesLeft, email: address, adds } = protection;
  if (!twoFactor && adds !== undefined) {
    const to = adds === 'passkey' ? `${securityPage}#passkeys` : securityPage;
    return { kind: hasPassword ? 'password-only' : 'provider-only', good: false, to, add: adds };
  }
  if (!protection.codesSaved) return { kind: 'codes-unsaved', good: false, to: codesPage };
  if (codesLeft === 0) return { kind: 'codes-none', good: false, to: codes };
  if (address === 'unverified') return { kind: 'email-unverified', good: false, to: email };
  if (address === 'none') return { kind: 'email-none', good: false, to: email };
  if (codesLeft !== undefined && codesLeft <= few) {
    return { kind: 'codes-few', good: false, to: codes, count: codesLeft };
  }
  return { kind: twoFactor ? 'strong' : 'nothing-to-do', good: true };
}
