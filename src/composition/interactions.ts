/** The steps of a sign-in behind their one dispatcher. */
import type { Core } from '../core/core.ts';
import type { Upstream } from '../core/upstream/upstream.ts';
import type { Protocol } from '../oidc/provider.ts';
import { createConsentStep } from '../pages/consent/consent.ts';
import { createEnrolStep } from '../pages/enrolment/enrol.ts';
import type { Csrf } from '../pages/kit/csrf.ts';
import { createInteractions } from '../pages/kit/interaction/dispatcher.ts';
import type { Pages } from '../pages/kit/page.ts';
import type { SignUpPage } from '../pages/registration/sign-up.ts';
import { createArrival } from '../pages/sign-in/arrival.ts';
import { createChooserStep } from '../pages/sign-in/chooser.ts';
import { createLoginStep } from '../pages/sign-in/login.ts';
import { createLongerPasswordStep } from '../pages/sign-in/longer-password.ts';
import { createWithPass } from '../pages/sign-in/pass.ts';
import { createSecondFactorStep } from '../pages/sign-in/second-factor.ts';
import { createSignUpStep } from '../pages/sign-in/sign-up.ts';
import { createStartAgain } from '../pages/sign-in/start-again.ts';
import { createUpstreamDetours, createUpstreamStep } from '../pages/sign-in/upstream.ts';

interface Around {
  readonly protocol: Protocol;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly upstream: Upstream;
  readonly signUpPage: SignUpPage;
  /** The way to a sign-in that comes back to this page. */
  readonly signInAt: (page: string) => string;
}

export function composeInteractions(core: Core, { protocol, pages, csrf, upstream, signUpPage, signInAt }: Around) {
  const { config, cached, audit, stores } = core;
  const { accounts, consents, engine } = stores;
  const enrol = createEnrolStep({ ...core, pages, csrf, clients: cached, accounts });
  return createInteractions({
    provider: protocol.provider,
    pages,
    csrf,
    arrived: createArrival({ ...core, pages, accounts }),
    withPass: createWithPass({ ...core, accounts }),
    homeWithPass: `${signInAt('/account')}&prompt=login`,
    startAgain: createStartAgain(engine),
    steps: {
      chooser: createChooserStep({ ...core, pages, csrf, clients: cached, accounts }),
      login: createLoginStep({
        ...core,
        upstream,
        pages,
        csrf,
        clients: cached,
        accounts,
        offers: { signUp: config.signUp === 'open', forgot: core.mails.work },
      }),
      'sign-up': createSignUpStep({ ...core, page: signUpPage, clients: cached }),
      'second-factor': createSecondFactorStep({ ...core, pages, csrf, clients: cached, accounts }),
      'longer-password': createLongerPasswordStep({
        ...core,
        pages,
        csrf,
        clients: cached,
        store: accounts,
        minLength: config.password.minLength,
      }),
      upstream: createUpstreamStep({ upstream, pages, csrf, clients: cached, accounts }),
      enrol,
      offer: enrol,
      consent: createConsentStep({ pages, csrf, clients: cached, apis: core.apis, accounts, consents, audit }),
    },
    detours: createUpstreamDetours({ upstream, pages, csrf, clients: cached, accounts }),
  });
}
