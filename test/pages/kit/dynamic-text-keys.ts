/** Keys the views put together while they run, as opposed to those written out in them. */
import { letterKinds } from '../../../src/core/mail/mailer.ts';
import { codeMethods } from '../../../src/login/methods.ts';
import { letterForms } from '../../../src/mail/letter-forms.ts';
import { activityEvents } from '../../../src/pages/account/activity.ts';
import { deleteErrors } from '../../../src/pages/account/deletion.ts';
import { adviceKinds } from '../../../src/pages/account/kit/advice.ts';
import { confirmations } from '../../../src/pages/account/kit/confirm.ts';
import { sessionDoors } from '../../../src/pages/account/kit/session-view.ts';
import { addressFields } from '../../../src/pages/account/profile.ts';
import { savedCodeErrors } from '../../../src/pages/account/security/codes.ts';
import { appCodeErrors } from '../../../src/pages/account/security/enrolment.ts';
import { passwordFormErrors } from '../../../src/pages/account/security/password.ts';
import { eachTimeReasons } from '../../../src/pages/consent/consent.ts';
import { deviceProblems } from '../../../src/pages/device/device.ts';
import { brandLinks } from '../../../src/pages/kit/brand/brand.ts';
import { errorKinds, unreviewedReasons } from '../../../src/pages/kit/page.ts';
import { addressPlaces } from '../../../src/pages/kit/place.ts';
import { playgroundTexts } from '../../../src/pages/kit/playground-texts.ts';
import {
  accountNotices,
  accountSections,
  formProblems,
  knownScopes,
  setupErrors,
  upstreamFailures,
} from '../../../src/pages/kit/view-parts.ts';
import { noticeKinds } from '../../../src/pages/kit/views.ts';
import { confirmErrors } from '../../../src/pages/registration/verify-email.ts';
import { loginNotices, signInReasons } from '../../../src/pages/sign-in/login.ts';
import { secondFactorErrors } from '../../../src/pages/sign-in/second-factor.ts';

const secondFactors = ['passkey', ...codeMethods.map(({ kind }) => kind)];

export const dynamicTextKeys: readonly string[] = [
  ...letterKinds.flatMap((kind) =>
    [
      ...['subject', 'preview', 'heading', 'text', 'advice'],
      ...(kind === 'sign-in-code' || kind === 'account-deleted' ? [] : ['button']),
      ...Object.keys(letterForms[kind].links ?? {}),
    ].map((part) => `mail.${kind}.${part}`),
  ),
  ...Object.values(letterForms).flatMap(({ advice, reason }) => [`mail.advice.${advice}`, `mail.reason.${reason}`]),
  ...['account', 'time', 'device', 'address', 'actor', 'admin'].map((fact) => `mail.fact.${fact}`),
  ...['mail.address', 'mail.device'],
  ...brandLinks.map((link) => `footer.${link}`),
  ...accountSections.map((section) => `account.${section}.title`),
  ...accountNotices.map((notice) => `account.notice.${notice}`),
  ...addressFields.map((field) => `account.profile.${field}`),
  ...passwordFormErrors.map((error) => `account.password.current.${error}`),
  ...appCodeErrors.map((error) => `account.app.error.${error}`),
  ...deleteErrors.map((error) => `account.delete.error.${error}`),
  ...secondFactors.filter((kind) => kind !== 'recovery-code').map((kind) => `account.factor.${kind}`),
  ...[...secondFactors.filter((kind) => kind !== 'recovery-code'), 'all'].map((kind) => `mail.factor.${kind}`),
  ...codeMethods
    .filter(({ kind }) => kind !== 'recovery-code')
    .flatMap(({ kind }) => ['title', 'text', 'some', 'add'].map((part) => `account.method.${kind}.${part}`)),
  'account.method.totp.more',
  ...['unsaved', 'kept'].flatMap((which) => [`account.codes.${which}`, `account.codes.${which}.go`]),
  ...savedCodeErrors.map((error) => `account.codes.error.${error}`),
  ...addressPlaces.map((place) => `account.address.${place}`),
  ...sessionDoors.map((door) => `account.door.${door}`),
  'account.program.on',
  ...activityEvents.map((event) => `account.event.${event}`),
  ...adviceKinds.map((kind) => `account.advice.${kind}.title`),
  ...adviceKinds.filter((kind) => !kind.endsWith('-only')).map((kind) => `account.advice.${kind}.text`),
  ...['codes-unsaved', 'codes-none', 'codes-few', 'email-none', 'email-unverified'].map(
    (kind) => `account.advice.${kind}.go`,
  ),
  ...['passkey', 'app'].flatMap((way) => ['text', 'go'].map((part) => `account.advice.add.${way}.${part}`)),
  ...confirmations.flatMap((asks) => ['title', 'text', 'yes'].map((part) => `account.confirm.${asks}.${part}`)),
  ...setupErrors.map((error) => `setup.error.${error}`),
  ...formProblems.flatMap((problem) => [`form.${problem}.title`, `form.${problem}.text`]),
  ...confirmErrors.flatMap((error) => [`verify.error.${error}.title`, `verify.error.${error}.text`]),
  ...noticeKinds.flatMap((kind) => [`notice.${kind}.title`, `notice.${kind}.text`]),
  ...['signIn', 'home', 'account', 'again'].map((go) => `notice.go.${go}`),
  ...signInReasons.map((reason) => `login.again.${reason}`),
  ...loginNotices.flatMap((error) => [`login.error.${error}.title`, `login.error.${error}.text`]),
  ...secondFactorErrors.flatMap((error) => [`second.error.${error}.title`, `second.error.${error}.text`]),
  ...secondFactors.map((method) => `second.use.${method}`),
  ...upstreamFailures.flatMap((kind) => [`upstream.failed.${kind}.title`, `upstream.failed.${kind}.text`]),
  ...unreviewedReasons.map((reason) => `error.unreviewed.${reason}`),
  ...errorKinds.flatMap((kind) => [`error.${kind}.title`, `error.${kind}.text`]),
  ...knownScopes.map((scope) => `scope.${scope}`),
  ...eachTimeReasons.map((reason) => `consent.each-time.${reason}`),
  ...deviceProblems.flatMap((kind) => [`device.problem.${kind}.title`, `device.problem.${kind}.text`]),
  ...['code', 'mail', 'recovery'].flatMap((words) =>
    ['title', 'text', 'label'].map((part) => `second.${words}.${part}`),
  ),
  ...['title', 'text'].map((part) => `second.passkey.${part}`),
  ...playgroundTexts.map((key) => `playground.js.${key}`),
];
