/**
 * The refusals of sign-in and sign-up that the API surfaces share. Each surface has its own error format, and may
 * replace sentences that its contract prescribes.
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

/** For an operation with a password. Mailed codes are requested by the name of their kind. */
export function otpHeader({ codes }: Pick<Factors, 'codes'>): Headers {
  const mailed = codes.flatMap(({ kind, wire }) => (wire.send === undefined ? [] : [`\`${kind}\``])).join(' or ');
  const ask = mailed === '' ? '' : `; send ${mailed} to get one by e-mail`;
  return { 'X-OTP': `A current code, if the person has a second factor${ask}.` };
}

/**
 * `challenge`: headers of a 401. The response header `X-OTP` asks the client to repeat the call with a code in `X-OTP`.
 */
export function signInRefusal(outcome: NotSignedIn, words: string, challenge: Headers): Refusal {
  switch (outcome.outcome) {
    case 'refused':
      return new Refusal('unauthorized', words, challenge);
    case 'throttled':
      return tooMany(outcome.retryAfter);
    case 'second-factor': {
      // A code does not help: the password must change.
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
      return new Refusal('forbidden', 'this client is built in and cannot be changed');
    case 'described':
      return new Refusal(
        'forbidden',
        'the document at the client_id describes this client: only its owner can change it',
      );
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
      return new Refusal('forbidden', 'sign-up is closed on this server');
    case 'throttled':
      return tooMany(outcome.retryAfter);
  }
}

export function tooMany(retryAfter: number, what = 'attempts'): Refusal {
  return new Refusal('too_many_requests', `too many ${what}, wait a while`, { 'Retry-After': String(retryAfter) });
}

/** For the description of a 429. */
export const retryAfterHeader = { 'Retry-After': 'Seconds to wait before retrying.' } as const;

/** Refusals of client metadata start with the member's RFC 7591 name. Replaces it with this API's own name. */
export function inOwnNames(names: Readonly<Record<string, string>>): (message: string) => string {
  return (message) => message.replace(/^\w+/, (member) => names[member] ?? member);
}

const wrongCodes: Readonly<Record<WrongSecond, string>> = {
  wrong: 'the code is wrong',
  used: 'the code has been used before',
  locked: 'too many codes were wrong',
  over: 'the mailed code is no longer valid',
  passkey: 'the passkey did not work',
  'passkey-used': 'the passkey did not work',
};

/** Methods that work in a header. A passkey needs a page. */
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
  if (methods.length === 0) return `${what}, but no method is available now`;
  const mailed = asked.mailed?.outcome === 'sent' ? `; one was mailed to ${asked.mailed.to}` : '';
  return `${what}: send a code in X-OTP (${methods.join(', ')})${mailed}`;
}
