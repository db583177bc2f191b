/**
 * All pages in all states worth showing. The gallery shows them, the browser tests visit them, and a deployment's own
 * views are tried with them at start. Each state is declared next to its page.
 */

import { referenceStates } from '../api/reference/states.ts';
import { activityStates } from './account/states/activity.ts';
import { applicationsStates } from './account/states/applications.ts';
import { confirmStates } from './account/states/confirm.ts';
import { connectionsStates } from './account/states/connections.ts';
import { dataStates } from './account/states/data.ts';
import { deletionStates } from './account/states/deletion.ts';
import { emailStates } from './account/states/email.ts';
import { enrolmentStates } from './account/states/enrolment.ts';
import { factorsStates } from './account/states/factors.ts';
import { overviewStates } from './account/states/overview.ts';
import { passwordStates } from './account/states/password.ts';
import { profileStates } from './account/states/profile.ts';
import { securityStates } from './account/states/security.ts';
import { sessionsStates } from './account/states/sessions.ts';
import { consentStates } from './consent/states/consent.ts';
import { deviceStates } from './device/states/device.ts';
import { enrolStates } from './enrolment/states/enrol.ts';
import type { ViewState } from './kit/state.ts';
import { languageStates } from './kit/states/language.ts';
import { errorStates } from './kit/states/page.ts';
import { sharedPageStates } from './kit/states/views.ts';
import { componentsStates } from './playground/states/components.ts';
import { devMailsStates } from './playground/states/dev-mails.ts';
import { galleryStates } from './playground/states/gallery.ts';
import { playgroundStates } from './playground/states/playground.ts';
import { forgottenPasswordStates } from './recovery/states/forgotten-password.ts';
import { mailSentStates } from './registration/states/mail-sent.ts';
import { signUpStates } from './registration/states/sign-up.ts';
import { verifyEmailStates } from './registration/states/verify-email.ts';
import { welcomeStates } from './setup/states/welcome.ts';
import { chooserStates } from './sign-in/states/chooser.ts';
import { enginePagesStates } from './sign-in/states/engine-pages.ts';
import { loginStates } from './sign-in/states/login.ts';
import { longerPasswordStates } from './sign-in/states/longer-password.ts';
import { secondFactorStates } from './sign-in/states/second-factor.ts';
import { upstreamStates } from './sign-in/states/upstream.ts';
import { whyStates } from './why/states/why.ts';

export const states: readonly ViewState[] = [
  ...loginStates,
  ...chooserStates,
  ...upstreamStates,
  ...secondFactorStates,
  ...longerPasswordStates,
  ...consentStates,
  ...deviceStates,
  ...enrolStates,
  ...enginePagesStates,
  ...signUpStates,
  ...mailSentStates,
  ...verifyEmailStates,
  ...forgottenPasswordStates,
  ...welcomeStates,
  ...overviewStates,
  ...profileStates,
  ...emailStates,
  ...passwordStates,
  ...securityStates,
  ...factorsStates,
  ...enrolmentStates,
  ...sessionsStates,
  ...connectionsStates,
  ...applicationsStates,
  ...activityStates,
  ...confirmStates,
  ...dataStates,
  ...deletionStates,
  ...sharedPageStates,
  ...errorStates,
  ...languageStates,
  ...whyStates,
  ...playgroundStates,
  ...devMailsStates,
  ...galleryStates,
  ...componentsStates,
  ...referenceStates,
];
