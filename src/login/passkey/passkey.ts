/**
 * WebAuthn level 3 (https://www.w3.org/TR/webauthn-3/). A library handles the formats and signatures. It is loaded with
 * the first passkey, because it costs a hundred milliseconds and 27 MB. The options are plain JSON, made here.
 *
 * There is one origin and one RP ID, the issuer and its host: no related origins, no other ports, no frames.
 */
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { inAscii } from '../../base/json.ts';
import type { Assertion, CredentialName, PasskeyMethod, PasskeySettings } from '../../core/factors/passkey-method.ts';
import type { AssertionShape, CredentialShape } from './shapes.ts';

const library = () => import('@simplewebauthn/server');
const shapes = () => import('./shapes.ts');

/** ES256, EdDSA, RS256 (RFC 9053, RFC 8812): every common authenticator supports one of them. */
const algorithms = [-7, -8, -257];
/** For the browser's dialogue, in milliseconds. The challenge has its own expiry. */
const timeout = 300_000;
const longestText = 65_536;

export function createPasskeyMethod(settings: PasskeySettings): PasskeyMethod {
  const { origin, hostname: rpId } = new URL(settings.issuer);

  return {
    creationOptions({ challenge, handle, username, displayName, exclude }) {
      const options: PublicKeyCredentialCreationOptionsJSON = {
        rp: { id: rpId, name: settings.brandName },
        user: { id: handle, name: username.toWellFormed(), displayName: displayName.toWellFormed() },
        challenge,
        pubKeyCredParams: algorithms.map((alg) => ({ alg, type: 'public-key' })),
        timeout,
        attestation: 'none',
        // Each passkey can be a whole sign-in: the browser finds it without a username, and it verifies its user.
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        excludeCredentials: descriptors(exclude),
        extensions: { credProps: true },
      };
      return inAscii(options);
    },

    requestOptions({ challenge, allow }) {
      const options: PublicKeyCredentialRequestOptionsJSON = {
        rpId,
        challenge,
        timeout,
        userVerification: allow === undefined ? 'required' : 'preferred',
        allowCredentials: descriptors(allow ?? []),
      };
      return inAscii(options);
    },

    async readAssertion(text) {
      const response = (await shapes()).assertion.safeParse(parsed(text)).data;
      if (response === undefined) return undefined;
      return {
        credentialId: response.id,
        challenge: response.response.clientDataJSON.read.challenge,
        userHandle: response.response.userHandle,
        response,
      };
    },

    async proveAssertion({ challenge, response }: Assertion, { publicKey, userVerified }) {
      // The shape that `readAssertion` returns.
      const { response: inner, ...outer } = response as AssertionShape;
      if (inner.clientDataJSON.read.crossOrigin) return undefined;
      const { verifyAuthenticationResponse } = await library();
      const proved = await orUndefined(() =>
        verifyAuthenticationResponse({
          response: {
            ...outer,
            response: {
              clientDataJSON: inner.clientDataJSON.text,
              authenticatorData: inner.authenticatorData,
              signature: inner.signature,
            },
          },
          expectedChallenge: challenge,
          expectedOrigin: origin,
          expectedRPID: rpId,
          requireUserVerification: userVerified,
          // The store checks the counter in the statement that raises it.
          credential: { id: outer.id, publicKey: Buffer.from(publicKey, 'base64url'), counter: 0 },
        }),
      );
      if (!proved?.verified) return undefined;
      const { newCounter, credentialDeviceType } = proved.authenticationInfo;
      return { counter: newCounter, synced: credentialDeviceType === 'multiDevice' };
    },

    async readCredential(text) {
      const response = (await shapes()).credential.safeParse(parsed(text)).data;
      if (response === undefined) return undefined;
      const { challenge } = response.response.clientDataJSON.read;
      return { challenge, prove: () => proveCredential(response, { challenge, origin, rpId }) };
    },
  };
}

async function proveCredential(
  { response: inner, ...outer }: CredentialShape,
  expected: { challenge: string; origin: string; rpId: string },
) {
  if (inner.clientDataJSON.read.crossOrigin) return undefined;
  const { verifyRegistrationResponse } = await library();
  const response: RegistrationResponseJSON = {
    ...outer,
    response: {
      clientDataJSON: inner.clientDataJSON.text,
      attestationObject: inner.attestationObject,
    },
  };
  const proved = await orUndefined(() =>
    verifyRegistrationResponse({
      response,
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: expected.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }),
  );
  if (!proved?.verified) return undefined;
  const { credential, credentialDeviceType } = proved.registrationInfo;
  return {
    credentialId: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: inner.transports,
    synced: credentialDeviceType === 'multiDevice',
  };
}

const descriptors = (names: readonly CredentialName[]) =>
  names.map(({ id, transports }) => ({ id, type: 'public-key' as const, transports: transports as Transports }));

/** The list of names grows; browsers ignore unknown ones. */
type Transports = NonNullable<
  NonNullable<PublicKeyCredentialCreationOptionsJSON['excludeCredentials']>[number]['transports']
>;

/** The library throws on invalid input. Its message is not for the sender. */
async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  if (text.length > longestText) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
