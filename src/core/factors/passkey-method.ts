/** The port of the login method `passkey`, which knows WebAuthn's formats. Implemented in login/passkey. */

/** What the browser sent. Nothing in it is verified yet. */
export interface Assertion {
  readonly credentialId: string;
  /** base64url, like all binary values here. */
  readonly challenge: string;
  readonly userHandle: string | undefined;
  /** As received. */
  readonly response: unknown;
}

interface ProvedAssertion {
  readonly counter: number;
  readonly synced: boolean;
}

interface NewCredential {
  readonly credentialId: string;
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly synced: boolean;
}

export interface CredentialName {
  readonly id: string;
  readonly transports: readonly string[];
}

export interface PasskeyMethod {
  /** `PublicKeyCredentialCreationOptionsJSON` (WebAuthn level 3, section 5.1.8). */
  creationOptions(wanted: {
    readonly challenge: string;
    readonly handle: string;
    readonly username: string;
    readonly displayName: string;
    /** The account's passkeys: an authenticator that has one of them creates no second one. */
    readonly exclude: readonly CredentialName[];
  }): string;
  /**
   * `PublicKeyCredentialRequestOptionsJSON`. Without `allow`, the user chooses any passkey, which must verify the user.
   */
  requestOptions(wanted: { readonly challenge: string; readonly allow?: readonly CredentialName[] }): string;
  /** Reads the JSON of an assertion. Returns undefined if it is something else. */
  readAssertion(text: string): Promise<Assertion | undefined>;
  /** Verifies origin, RP ID, key, challenge and user presence. Returns undefined if one of them is wrong. */
  proveAssertion(
    assertion: Assertion,
    expected: { readonly publicKey: string; readonly userVerified: boolean },
  ): Promise<ProvedAssertion | undefined>;
  /** Reads the JSON of a new credential: its challenge, and the verification of the rest. */
  readCredential(text: string): Promise<
    | {
        readonly challenge: string;
        prove(): Promise<NewCredential | undefined>;
      }
    | undefined
  >;
}

export interface PasskeySettings {
  readonly issuer: string;
  /** As browsers and authenticators show it. */
  readonly brandName: string;
}

/** Used without a login method `passkey`: asks browsers for nothing, and accepts nothing. */
export const noPasskeys: PasskeyMethod = {
  creationOptions: () => '',
  requestOptions: () => '',
  readAssertion: async () => undefined,
  proveAssertion: async () => undefined,
  readCredential: async () => undefined,
};
