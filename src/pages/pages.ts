/** All pages, one line for each area, and the steps of a sign-in. An area is a folder next to this file. */
import type { Route } from '../http/routes.ts';
import type { Protocol } from '../oidc/provider.ts';
import { createAccountPages } from './account/account.ts';
import { createFlashMessages } from './account/flash-messages.ts';
import { createClientLogo } from './client-logo/client-logo.ts';
import { createConsentStep } from './consent/consent.ts';
import { createEnrolStep } from './enrolment/enrol.ts';
import type { Brand } from './kit/brand/brand.ts';
import { createBranding } from './kit/brand/branding.ts';
import type { PageDeps } from './kit/deps.ts';
import { createInteractions } from './kit/interaction/dispatcher.ts';
import { createLanguagePage } from './kit/language.ts';
import { createAskedHere } from './kit/mail/asked-here.ts';
import { type DevMailsDeps, devMailsRoutes } from './playground/dev-mails.ts';
import { galleryRoutes, hasGallery } from './playground/gallery.ts';
import { playgroundRoutes } from './playground/playground.ts';
import { createRecovery } from './recovery/forgotten-password.ts';
import { createRegistration } from './registration/registration.ts';
import { createSignUpPage, type SignUpPage } from './registration/sign-up.ts';
import { createWelcome } from './setup/welcome.ts';
import { createArrival } from './sign-in/arrival.ts';
import { createCameFrom } from './sign-in/came-from.ts';
import { createChooserStep } from './sign-in/chooser.ts';
import { createLoginStep } from './sign-in/login.ts';
import { createLongerPasswordStep } from './sign-in/longer-password.ts';
import { createWithPass } from './sign-in/pass.ts';
import { createSecondFactorStep } from './sign-in/second-factor.ts';
import { createSignUpStep } from './sign-in/sign-up.ts';
import { createAccountSession } from './sign-in/signed-in.ts';
import { createStartAgain } from './sign-in/start-again.ts';
import { createUpstreamCallback, createUpstreamDetours, createUpstreamStep } from './sign-in/upstream.ts';
import { createWhy } from './why/why.ts';

type Deps = PageDeps & Pick<Protocol, 'provider'> & Pick<DevMailsDeps, 'mailbox'> & { readonly brand: Brand };

export async function allPages(deps: Deps): Promise<readonly Route[]> {
  const askedHere = createAskedHere(deps);
  const signUpPage = createSignUpPage({ ...deps, askedHere });
  const flashMessages = createFlashMessages(deps.secrets.secretKey, deps.secure);
  return [
    ...interactions(deps, signUpPage),
    ...createUpstreamCallback(deps),
    ...createWelcome({ ...deps, hasGallery: hasGallery(deps) }),
    ...createBranding(new Map([...deps.brand.files, ...deps.providerLogos.files])),
    ...createClientLogo(deps),
    ...createWhy(deps),
    ...createLanguagePage(deps),
    ...playgroundRoutes(deps),
    ...(await galleryRoutes(deps)),
    ...devMailsRoutes(deps),
    ...createRegistration(
      {
        ...deps,
        askedHere,
        noteReady: (ctx, subject) => flashMessages.write(ctx, subject, { notice: 'account-ready' }),
        waiting: {
          keep: (ctx, subject, email) => flashMessages.write(ctx, subject, { unconfirmed: email }),
          read: (ctx, subject) => flashMessages.read(ctx, subject).unconfirmed,
        },
      },
      signUpPage,
    ),
    ...createRecovery({
      ...deps,
      noteDone: (ctx, subject) => flashMessages.write(ctx, subject, { notice: 'password-changed' }),
      cameFrom: createCameFrom({ engine: deps.stores.engine, clients: deps.cached }),
    }),
    ...createAccountPages({ ...deps, flashMessages, askedHere, session: createAccountSession(deps) }),
  ];
}

function interactions(deps: Deps, signUpPage: SignUpPage): readonly Route[] {
  const enrol = createEnrolStep(deps);
  return createInteractions({
    ...deps,
    arrived: createArrival(deps),
    withPass: createWithPass(deps),
    homeWithPass: `${deps.signInAt('/account')}&prompt=login`,
    startAgain: createStartAgain(deps.stores.engine),
    steps: {
      chooser: createChooserStep(deps),
      login: createLoginStep(deps),
      'sign-up': createSignUpStep(deps, signUpPage),
      'second-factor': createSecondFactorStep(deps),
      'longer-password': createLongerPasswordStep(deps),
      upstream: createUpstreamStep(deps),
      enrol,
      offer: enrol,
      consent: createConsentStep(deps),
    },
    detours: createUpstreamDetours(deps),
  });
}
