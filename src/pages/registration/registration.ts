import type { Route } from '../../http/routes.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { SignUpPage } from './sign-up.ts';
import { signUpRoutes } from './sign-up-paths.ts';
import { verifyEmailRoutes } from './verify-email.ts';

export function createRegistration(deps: PageDeps, signUpPage: SignUpPage): readonly Route[] {
  return [...signUpRoutes(deps, signUpPage), ...verifyEmailRoutes(deps)];
}
