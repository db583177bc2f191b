/**
 * Every page in every state worth looking at. The gallery shows them, the browser tests walk them, and at start a deployment's
 * own views are tried on them. A new page, or a new state of one, is a row in the file it belongs to.
 */
import { accountMakingStates } from './account-making-states.ts';
import { accountNoticeStates } from './account-notice-states.ts';
import { accountStates } from './account-states.ts';
import { developerStates } from './developer-states.ts';
import { enrolStates } from './enrol-states.ts';
import { refusalStates } from './refusal-states.ts';
import { signInStates } from './sign-in-states.ts';
import type { ViewState } from './state.ts';
import { unreviewedStates } from './unreviewed-states.ts';

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
