/** The steps of a sign-in behind their one dispatcher. */
import type { Upstream } from '../core/upstream.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Pages } from '../http/page.ts';
import { createArrival } from '../interaction/arrival.ts';
import { createChooserStep } from '../interaction/chooser.ts';
import { createConsentStep } from '../interaction/consent.ts';
import { createInteractions } from '../interaction/dispatcher.ts';
import { createEnrolStep } from '../interaction/enrol.ts';
import { createLoginStep } from '../interaction/login.ts';
import { createLongerPasswordStep } from '../interaction/longer-password.ts';
import { createWithPass } from '../interaction/pass.ts';
import { createSecondFactorStep } from '../interaction/second-factor.ts';
import { createSignUpStep } from '../interaction/sign-up.ts';
import { createStartAgain } from '../interaction/start-again.ts';
import { createUpstreamDetours, createUpstreamStep } from '../interaction/upstream.ts';
import type { Protocol } from '../oidc/provider.ts';
import type { Core } from '../open-core.ts';
import type { SignUpPage } from '../people/sign-up.ts';

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
