/**
 * With what somebody can begin a sign-in by themselves. Whatever takes one of these away asks here whether another is left: the
 * stores in the transaction that takes it, the pages before they offer to. Codes of all kinds only follow a password.
 */
export interface SignInMethods {
  readonly password: boolean;
  readonly passkeys: readonly { readonly id: string }[];
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
}

/** `id`: of the passkey or identity that goes. `providers`: those that people can sign in with at this moment; an account at any other opens nothing. */
export function leavesSignInMethod(ways: SignInMethods, id: string, providers: readonly string[]): boolean {
  return (
    ways.password ||
    ways.passkeys.some((passkey) => passkey.id !== id) ||
    ways.identities.some((identity) => identity.id !== id && providers.includes(identity.provider))
  );
}
