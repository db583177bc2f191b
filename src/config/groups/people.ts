import { file, flag, oneOf, seconds, urlWith, wholeNumber } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const people = {
  SIGN_UP: optional(oneOf('open', 'invite', 'off'), '`open`; in production `invite`', {
    sentence:
      'Who may create an account, on the page and through the API surfaces: everyone (`open`), people with an invitation (`invite`) or no one (`off`).',
    example: 'open',
  }),
  UPSTREAMS: optional(file, 'people sign in only with the credentials that this server stores', {
    sentence: 'A file, JSON or YAML, of other providers through which people may sign in (docs/upstream.md).',
    example: '/etc/gatehouse/upstreams.yaml',
  }),
  SECOND_FACTOR: setting(oneOf('none', 'offered', 'required'), 'offered', {
    sentence:
      'What happens to people without a second factor: nothing (`none`), one invitation to add one (`offered`), or they must add one to continue (`required`). People with a second factor always need it, and a client may be stricter.',
    example: 'required',
  }),
  HIDE_ACCOUNT_EXISTENCE: setting(flag, false, {
    sentence:
      'Gives an unknown name and a wrong password the same response at the API surfaces that tell them apart (listed in docs/security.md). Cannot be combined with `NAMES_WITH_AT`.',
    example: 'true',
  }),
  NAMES_WITH_AT: setting(oneOf('off', 'surfaces'), 'off', {
    sentence:
      'Where a new username may have the form of an e-mail address that is not confirmed: nowhere (`off`) or at the JSON surfaces (`surfaces`). Such a name is never used as an e-mail address (docs/mail.md).',
    example: 'surfaces',
  }),
  SETUP_LINK_TTL: setting(seconds(60, 30 * DAY), DAY, {
    sentence: 'How long the setup link of the first administrator works.',
    example: '3600',
  }),
  PASSWORD_MIN_LENGTH: setting(wholeNumber(8, 64), 15, {
    sentence: 'The minimum length of a password.',
    example: '12',
  }),
  PASSWORD_MIN_LENGTH_SECOND_FACTOR: setting(wholeNumber(8, 64), 8, {
    sentence: 'The same for an account that has a second factor. Never more than `PASSWORD_MIN_LENGTH`.',
    example: '10',
  }),
  BREACHED_PASSWORDS_URL: optional(urlWith('https', 'http'), 'new passwords are compared with the built-in list only', {
    sentence:
      'A service that knows stolen passwords, with the range protocol of Have I Been Pwned; it checks new passwords. It receives five digits of a hash, never a password. While it does not respond, passwords are accepted without this check.',
    example: 'https://api.pwnedpasswords.com/range/',
  }),
  PASSWORD_HASH_MEMORY: setting(wholeNumber(7168, 1_048_576, 'KiB'), 19_456, {
    sentence: 'The memory that one Argon2id hash takes. Stored hashes are renewed at the next sign-in.',
    example: '47104',
  }),
  PASSWORD_HASH_TIME: setting(wholeNumber(1, 10, 'passes'), 2, {
    sentence: 'The number of passes of Argon2id over that memory.',
    example: '3',
  }),
  PASSWORD_QUEUE: setting(wholeNumber(1, 10_000), 64, {
    sentence: 'How many password checks may wait. More are refused with 503.',
    example: '128',
  }),
} as const;
