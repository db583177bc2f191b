/** The parameters of the authorization request that the interaction pages use. */
import type { Interaction } from 'oidc-provider';
import { formTargetsFor } from '../../../http/hardening.ts';
import { type RestartDeps, restartAddress } from '../../../oidc/requests/restart.ts';

type InteractionResults = NonNullable<Interaction['result']>;

interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly uiLocales: string | undefined;
  readonly loginHint: string | undefined;
}

export function requestOf({ params }: Pick<Interaction, 'params'>): AuthorizationRequest {
  const text = (name: string): string | undefined => {
    const value = params[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    clientId: text('client_id') ?? '',
    redirectUri: text('redirect_uri') ?? '',
    scopes: text('scope')?.split(' ') ?? [],
    uiLocales: text('ui_locales'),
    loginHint: text('login_hint'),
  };
}

/** The form's chain of redirects can end at the client's redirect URI, so `form-action` must allow it. */
export function formTargets({ redirectUri }: AuthorizationRequest): readonly string[] {
  return formTargetsFor(redirectUri);
}

/** The same request with another sign-in. In the device flow the engine asks for it, because the code goes on. */
export async function signInAgain(
  deps: RestartDeps,
  interaction: Interaction,
): Promise<InteractionResults | { readonly redirect: string }> {
  return isForDevice(interaction)
    ? { login: undefined, signInAgain: true }
    : { redirect: await restartAddress(deps, interaction, { prompt: 'login' }) };
}

/** A person answers for a device, so nothing is redirected to an application. */
export function isForDevice({ deviceCode }: { readonly deviceCode?: string | undefined }): boolean {
  return deviceCode !== undefined;
}
