import type { Protocol } from '../oidc/provider.ts';
import { createConsentStep } from '../pages/consent/consent.ts';
import { createEnrolStep } from '../pages/enrolment/enrol.ts';
import type { PageDeps } from '../pages/kit/deps.ts';
import { createInteractions } from '../pages/kit/interaction/dispatcher.ts';
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

export function composeInteractions(deps: PageDeps, { provider }: Protocol, signUpPage: SignUpPage) {
  const enrol = createEnrolStep(deps);
  return createInteractions({
    ...deps,
    provider,
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
