/**
 * The methods that can begin a sign-in; codes of all kinds only follow a password. Before one is removed, the store
 * checks in the same transaction that another is left, and the pages check before they offer it.
 */
export interface SignInMethods {
  readonly password: boolean;
  readonly passkeys: readonly { readonly id: string }[];
  readonly identities: readonly { readonly id: string; readonly provider: string }[];
}

/**
 * `id`: of the passkey or identity to remove. `providers`: those that users can sign in with now; others do not count.
 */
export function leavesSignInMethod(methods: SignInMethods, id: string, providers: readonly string[]): boolean {
  return (
    methods.password ||
    methods.passkeys.some((passkey) => passkey.id !== id) ||
    methods.identities.some((identity) => identity.id !== id && providers.includes(identity.provider))
  );
}
