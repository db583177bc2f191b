/** What core needs from the login method `passkey`, which knows WebAuthn's formats. Implemented in login/passkey. */

/** What a browser says that an authenticator signed; nothing of it is proved yet. */
export interface Assertion {
  readonly credentialId: string;
  /** base64url, as is everything binary here. */
  readonly challenge: string;
  readonly userHandle: string | undefined;
  /** As it came. */
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
    /** Of the same account: an authenticator that has one of them makes no second. */
    readonly exclude: readonly CredentialName[];
  }): string;
  /** `PublicKeyCredentialRequestOptionsJSON`. `allow` left out: whichever the person chooses, and it has to verify them. */
  requestOptions(wanted: { readonly challenge: string; readonly allow?: readonly CredentialName[] }): string;
  /** The JSON of an assertion; undefined where it is something else. */
  readAssertion(text: string): Promise<Assertion | undefined>;
  /** Whether it was made here (origin, RP ID), with this key and over this challenge, by a person who was there. */
  proveAssertion(
    assertion: Assertion,
    expected: { readonly publicKey: string; readonly userVerified: boolean },
  ): Promise<ProvedAssertion | undefined>;
  /** The JSON of a new credential: its challenge, and how to check the rest. */
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

/** Where there is no such login method: nothing is asked of a browser, and nothing that it says is taken. */
export const noPasskeys: PasskeyMethod = {
  creationOptions: () => '',
  requestOptions: () => '',
  readAssertion: async () => undefined,
  proveAssertion: async () => undefined,
  readCredential: async () => undefined,
};
