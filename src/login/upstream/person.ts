/** Converts a provider's response to a person. The response is untrusted: values of another type are ignored. */
import { type Amr, amrValues } from '../../core/kernel/amr.ts';
import type { UpstreamPerson } from '../../core/upstream/upstream-provider.ts';
import type { ClaimNames } from './settings.ts';

export type Claims = Readonly<Record<string, unknown>>;

const longest = 1000;

export function personOf(
  subject: string,
  sources: readonly Claims[],
  names: ClaimNames,
  { amr, authTime }: { readonly amr?: unknown; readonly authTime?: number | undefined } = {},
): UpstreamPerson {
  const from = (source: Claims | undefined, name: string): unknown =>
    name !== '' && source !== undefined && Object.hasOwn(source, name) ? source[name] : undefined;
  const text = (name: string): string | undefined => {
    for (const source of sources) {
      const value = from(source, name);
      if (typeof value === 'string' && value.trim() !== '' && value.length <= longest) return value.trim();
    }
    return undefined;
  };
  // The verified flag must come from the same source as the address.
  const email = text(names.email);
  const ofEmail = sources.find((source) => {
    const value = from(source, names.email);
    return typeof value === 'string' && value.trim() === email;
  });
  const [first, last] = [text(names.first_name), text(names.last_name)];
  return {
    subject,
    username: text(names.username),
    email,
    // Also a string: Apple and others send all claims as strings.
    emailVerified: [true, 'true'].includes(from(ofEmail, names.email_verified) as boolean | string),
    // A full name is not split, because the place to split is unknown.
    firstName: first ?? (last === undefined ? (text(names.name) ?? '') : ''),
    lastName: last ?? '',
    amr: Array.isArray(amr) ? amrValues.filter((value: Amr) => amr.includes(value)) : [],
    authTime,
  };
}

/** Also accepts numbers (GitHub), if they are exact. */
export function subjectOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  const usable = typeof value === 'string' && value !== '' && value.length <= 255 && !/\p{C}/u.test(value);
  return usable ? value : undefined;
}
