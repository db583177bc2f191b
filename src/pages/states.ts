/**
 * Every page in every state worth looking at. The gallery shows them, the browser tests walk them, and at start a deployment's
 * own views are tried on them. A state stands beside the page that shows it.
 */

import { referenceStates } from '../api/reference/views.states.ts';
import { activityStates } from './account/activity.states.ts';
import { applicationsStates } from './account/applications.states.ts';
import { connectionsStates } from './account/connections.states.ts';
import { dataStates } from './account/data.states.ts';
import { deletionStates } from './account/deletion.states.ts';
import { emailStates } from './account/email.states.ts';
import { enrolmentStates } from './account/enrolment.states.ts';
import { factorsStates } from './account/factors.states.ts';
import { identitiesStates } from './account/identities.states.ts';
import { overviewStates } from './account/overview.states.ts';
import { passkeysStates } from './account/passkeys.states.ts';
import { passwordStates } from './account/password.states.ts';
import { profileStates } from './account/profile.states.ts';
import { sessionsStates } from './account/sessions.states.ts';
import { consentStates } from './consent/consent.states.ts';
import { enrolStates } from './enrolment/enrol.states.ts';
import { languageStates } from './kit/language.states.ts';
import { errorStates } from './kit/page.states.ts';
import type { ViewState } from './kit/state.ts';
import { sharedPageStates } from './kit/views.states.ts';
import { devMailsStates } from './playground/dev-mails.states.ts';
import { galleryStates } from './playground/gallery.states.ts';
import { playgroundStates } from './playground/playground.states.ts';
import { forgottenPasswordStates } from './recovery/forgotten-password.states.ts';
import { signUpStates } from './registration/sign-up.states.ts';
import { verifyEmailStates } from './registration/verify-email.states.ts';
import { welcomeStates } from './setup/welcome.states.ts';
import { chooserStates } from './sign-in/chooser.states.ts';
import { enginePagesStates } from './sign-in/engine-pages.states.ts';
import { loginStates } from './sign-in/login.states.ts';
import { longerPasswordStates } from './sign-in/longer-password.states.ts';
import { secondFactorStates } from './sign-in/second-factor.states.ts';
import { upstreamStates } from './sign-in/upstream.states.ts';
import { whyStates } from './why/why.states.ts';

export const states: readonly ViewState[] = [
  ...loginStates,
  ...chooserStates,
  ...upstreamStates,
  ...secondFactorStates,
  ...longerPasswordStates,
  ...consentStates,
  ...enrolStates,
  ...enginePagesStates,
  ...signUpStates,
  ...verifyEmailStates,
  ...forgottenPasswordStates,
  ...welcomeStates,
  ...overviewStates,
  ...profileStates,
  ...emailStates,
  ...passwordStates,
  ...factorsStates,
  ...passkeysStates,
  ...enrolmentStates,
  ...identitiesStates,
  ...sessionsStates,
  ...connectionsStates,
  ...applicationsStates,
  ...activityStates,
  ...dataStates,
  ...deletionStates,
  ...sharedPageStates,
  ...errorStates,
  ...languageStates,
  ...whyStates,
  ...playgroundStates,
  ...devMailsStates,
  ...galleryStates,
  ...referenceStates,
];
