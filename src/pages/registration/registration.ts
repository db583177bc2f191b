import type { Route } from '../../http/routes.ts';
import type { SignUpPage } from './sign-up.ts';
import { type RegistrationDeps, signUpRoutes } from './sign-up-paths.ts';
import { verifyEmailRoutes } from './verify-email.ts';

export function createRegistration(deps: RegistrationDeps, signUpPage: SignUpPage): readonly Route[] {
  return [...signUpRoutes(deps, signUpPage), ...verifyEmailRoutes(deps)];
}
