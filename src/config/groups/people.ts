import { file, flag, oneOf, seconds, urlWith, wholeNumber } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const people = {
  SIGN_UP: optional(oneOf('open', 'invite', 'off'), '`open`; in production `invite`', {
    sentence:
      'Who may create an account of their own, on the page and by the API surfaces: every person (`open`), those with an invitation (`invite`) or none (`off`).',
    example: 'open',
  }),
  UPSTREAMS: optional(file, 'people sign in with what this server knows of them only', {
    sentence: 'The providers through which people may sign in too, as JSON or YAML (docs/upstream.md).',
    example: '/etc/gatehouse/upstreams.yaml',
  }),
  SECOND_FACTOR: setting(oneOf('none', 'offered', 'required'), 'offered', {
    sentence:
      'Whether people who have no second factor are left alone (`none`), invited once to add one (`offered`), or must add one before they go on (`required`). Who has one is always asked for it; a client may be stricter.',
    example: 'required',
  }),
  HIDE_ACCOUNT_EXISTENCE: setting(flag, false, {
    sentence:
      'Makes API surfaces that tell an unknown name from a wrong password answer both alike (docs/security.md says where). Does not go together with `NAMES_WITH_AT`.',
    example: 'true',
  }),
  NAMES_WITH_AT: setting(oneOf('off', 'surfaces'), 'off', {
    sentence:
      'Where a new username may read as an e-mail address that is not proved: nowhere (`off`) or at the JSON surfaces (`surfaces`). Such a name is never sent or matched as an address (docs/mail.md).',
    example: 'surfaces',
  }),
  SETUP_LINK_TTL: setting(seconds(60, 30 * DAY), DAY, {
    sentence: 'How long the set-up link of the first admin works.',
    example: '3600',
  }),
  PASSWORD_MIN_LENGTH: setting(wholeNumber(8, 64), 15, {
    sentence: 'The shortest password accepted.',
    example: '12',
  }),
  PASSWORD_MIN_LENGTH_SECOND_FACTOR: setting(wholeNumber(8, 64), 8, {
    sentence: 'The same for an account that has a second factor; never more than `PASSWORD_MIN_LENGTH`.',
    example: '10',
  }),
  BREACHED_PASSWORDS_URL: optional(urlWith('https', 'http'), 'new passwords are compared with the built-in list only', {
    sentence:
      'Where new passwords are looked for among stolen ones: a service with the range protocol of Have I Been Pwned. It is sent five digits of a hash, never a password; while it does not answer, passwords are accepted without it.',
    example: 'https://api.pwnedpasswords.com/range/',
  }),
  PASSWORD_HASH_MEMORY: setting(wholeNumber(7168, 1_048_576, 'KiB'), 19_456, {
    sentence: 'The memory one Argon2id hash takes; a stored hash moves on at the next sign-in.',
    example: '47104',
  }),
  PASSWORD_HASH_TIME: setting(wholeNumber(1, 10, 'passes'), 2, {
    sentence: 'How often Argon2id passes over that memory.',
    example: '3',
  }),
  PASSWORD_QUEUE: setting(wholeNumber(1, 10_000), 64, {
    sentence: 'How many password checks may wait their turn; beyond that the answer is 503.',
    example: '128',
  }),
} as const;
