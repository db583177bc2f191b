/** Maps the refusals of core to the error keys of the catalogue. */
import type { AttributeProblem } from '../../core/accounts/attributes.ts';
import type { NameProblem } from '../../core/kernel/names.ts';
import type { PasswordReason } from '../../core/passwords/password-rules.ts';
import type { SetupError } from './view-parts.ts';

export const passwordErrors: Readonly<Record<PasswordReason, SetupError>> = {
  malformed: 'invalid',
  'too-short': 'too-short',
  'too-long': 'too-long',
  'own-name': 'too-similar',
  'service-name': 'too-similar',
  pattern: 'too-common',
  common: 'too-common',
  breached: 'breached',
};

export const nameErrors: Readonly<Record<NameProblem, SetupError>> = {
  malformed: 'invalid',
  empty: 'required',
  'too-long': 'too-long',
  invisible: 'invalid',
  marks: 'invalid',
  characters: 'characters',
  'not-an-email': 'invalid',
  'unproved-address': 'address',
  'ends-with-dot': 'ends-with-dot',
  'mixed-scripts': 'mixed-scripts',
  reserved: 'reserved',
};

/** For a profile, which has more fields than names. */
export const fieldErrors: Readonly<Record<NameProblem | AttributeProblem, SetupError>> = {
  ...nameErrors,
  'not-a-picture': 'not-a-picture',
  'not-a-locale': 'not-a-locale',
  'not-a-zone': 'not-a-zone',
  'not-a-phone': 'not-a-phone',
};
