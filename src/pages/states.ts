/**
 * Every page in every state worth looking at. The gallery shows them, the browser tests walk them, and at start a deployment's
 * own views are tried on them. A new page, or a new state of one, is a row in the file it belongs to.
 */

import { accountNoticeStates } from './account/account-notice-states.ts';
import { accountStates } from './account/account-states.ts';
import { unreviewedStates } from './consent/unreviewed-states.ts';
import { enrolStates } from './enrolment/enrol-states.ts';
import type { ViewState } from './kit/state.ts';
import { developerStates } from './playground/developer-states.ts';
import { accountMakingStates } from './registration/account-making-states.ts';
import { refusalStates } from './sign-in/refusal-states.ts';
import { signInStates } from './sign-in/sign-in-states.ts';

export const states: readonly ViewState[] = [
  ...signInStates,
  ...enrolStates,
  ...accountMakingStates,
  ...accountStates,
  ...accountNoticeStates,
  ...unreviewedStates,
  ...refusalStates,
  ...developerStates,
];
