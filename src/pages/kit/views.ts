/**
 * What each page needs to be shown: the contract between whoever answers a request and the file under `views/`.
 *
 * Names, addresses and sentences arrive as they were registered or typed. The views clip, isolate and escape them and
 * leave out any link that is not http or https, so nobody has to prepare a value for being shown.
 */

import { letterKinds } from '../../core/mail/mailer.ts';
import { type AccountViews, accountTextKeys } from './account-views.ts';
import { brandLinks } from './brand/brand.ts';
import { type DeveloperViews, playgroundTexts } from './developer-views.ts';
import { type PeopleViews, peopleTextKeys } from './people-views.ts';
import { type SignInViews, signInTextKeys } from './sign-in-views.ts';

export type ViewLocals = SignInViews & PeopleViews & AccountViews & DeveloperViews;
export type ViewName = keyof ViewLocals;

/** Keys the views put together while they run, as opposed to those written out in them. */
export const dynamicTextKeys: readonly string[] = [
  ...letterKinds.flatMap((kind) =>
    ['subject', 'text', ...(kind === 'sign-in-code' || kind === 'account-deleted' ? [] : ['button'])].map(
      (part) => `mail.${kind}.${part}`,
    ),
  ),
  ...['link', 'notice'].map((kind) => `mail.end.${kind}`),
  ...brandLinks.map((link) => `footer.${link}`),
  ...signInTextKeys,
  ...peopleTextKeys,
  ...accountTextKeys,
  ...playgroundTexts.map((key) => `playground.js.${key}`),
];
