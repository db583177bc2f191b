/**
 * How the API surfaces word it that somebody may not sign in or sign up: each has its own format for the words, and may have
 * words of its own for what its original names.
 */
import { Refusal } from '../../base/errors.ts';
import type { PatchOutcome } from '../../core/clients/clients.ts';
import type { SentCode } from '../../core/factors/code-method.ts';
import type { Factors, SecondFactor } from '../../core/factors/factors.ts';
import type { SignUpOutcome } from '../../core/registration/sign-up.ts';
import type { WrongSecond } from '../../core/sign-in/second-step.ts';
import type { SignInOutcome } from '../../core/sign-in/sign-in.ts';

type NotSignedIn = Exclude<SignInOutcome, { outcome: 'signed-in' }>;
type NotSignedUp = Exclude<SignUpOutcome, { outcome: 'created' }>;
type Headers = Readonly<Record<string, string>>;

/** Of an operation that takes a password: for its description. Kinds of code that are mailed are asked for by name. */
export function otpHeader({ codes }: Pick<Factors, 'codes'>): Headers {
  const mailed = codes.flatMap(({ kind, wire }) => (wire.send === undefined ? [] : [`\`${kind}\``])).join(' or ');
  const ask = mailed === '' ? '' : `; ${mailed} to have one mailed`;
  return { 'X-OTP': `A current code, where the person has a second factor${ask}.` };
}

/** `challenge`: the headers of a 401. The call succeeds when it is repeated with a code in `X-OTP`, which that header of the answer asks for. */
export function signInRefusal(outcome: NotSignedIn, words: string, challenge: Headers): Refusal {
  switch (outcome.outcome) {
    case 'refused':
      return new Refusal('unauthorized', words, challenge);
    case 'throttled':
      return tooMany(outcome.retryAfter);
    case 'second-factor': {
      // No code would do: it is the password that has to change.
      if (outcome.short) return new Refusal('unauthorized', secondFactorWords(outcome), challenge);
      const methods = codeMethods(outcome.methods);
      const list = outcome.enrol ? ['enrol'] : methods;
      const required = ['required', ...(list.length > 0 ? [list.join(', ')] : [])].join('; ');
      return new Refusal('unauthorized', secondFactorWords(outcome), { ...challenge, 'X-OTP': required });
    }
  }
}

export function changeRefusal(outcome: Exclude<PatchOutcome, { outcome: 'updated' }>): Refusal {
  switch (outcome.outcome) {
    case 'unknown':
      return new Refusal('not_found', 'there is no such client');
    case 'built-in':
      return new Refusal('forbidden', 'the server itself makes this client');
    case 'conflict':
      return new Refusal('conflict', `the client is at version ${outcome.version}: read it again`);
    case 'invalid':
      return new Refusal(outcome.error, outcome.description);
  }
}

export function signUpRefusal(outcome: NotSignedUp): Refusal {
  switch (outcome.outcome) {
    case 'taken':
      return new Refusal('invalid_request', 'the name is taken');
    case 'invalid':
      return new Refusal('invalid_request', `the name cannot be used: ${outcome.sentence}`);
    case 'weak-password':
      return new Refusal('invalid_request', outcome.reason.sentence);
    case 'closed':
      return new Refusal('forbidden', 'nobody may make an account here');
    case 'throttled':
      return tooMany(outcome.retryAfter);
  }
}

export function tooMany(retryAfter: number, what = 'attempts'): Refusal {
  return new Refusal('too_many_requests', `too many ${what}, wait a while`, { 'Retry-After': String(retryAfter) });
}

/** Of a 429: for its description. */
export const retryAfterHeader = { 'Retry-After': 'Seconds until another try is looked at.' } as const;

/** What core says of client metadata begins with the member: here by this API's names for members of RFC 7591. */
export function inOwnNames(names: Readonly<Record<string, string>>): (message: string) => string {
  return (message) => message.replace(/^\w+/, (member) => names[member] ?? member);
}

const wrongCodes: Readonly<Record<WrongSecond, string>> = {
  wrong: 'the code is wrong',
  used: 'the code has been used before',
  locked: 'too many codes were wrong',
  over: 'the code that was mailed is not good any more',
  passkey: 'the passkey did not work',
  'passkey-used': 'the passkey did not work',
};

/** Those that fit into a header: a passkey needs a page. */
function codeMethods(methods: readonly SecondFactor[]): readonly SecondFactor[] {
  return methods.filter((method) => method !== 'passkey');
}

function secondFactorWords(asked: {
  readonly methods: readonly SecondFactor[];
  readonly wrong: WrongSecond | undefined;
  readonly mailed?: SentCode | undefined;
  readonly enrol?: true | undefined;
  readonly short?: true | undefined;
}): string {
  if (asked.short)
    return 'the password is too short without a second factor: sign in at /account in a browser and choose a longer one';
  if (asked.enrol) return 'a second factor is required: sign in at /account in a browser and add one';
  const what = asked.wrong === undefined ? 'a second factor is needed' : wrongCodes[asked.wrong];
  const methods = codeMethods(asked.methods);
  if (methods.length === 0) return `${what}, and there is none that could be used now`;
  const mailed = asked.mailed?.outcome === 'sent' ? `; one was mailed to ${asked.mailed.to}` : '';
  return `${what}: send a code in X-OTP (${methods.join(', ')})${mailed}`;
}
