/**
 * An authenticator in software: makes passkeys and signs with them, and lies where a test wants it to (WebAuthn level
 * 3, section 6).
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Passkeys } from '../../src/core/factors/passkeys.ts';

export interface Lies {
  readonly challenge?: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly userHandle?: string | undefined;
  readonly userPresent?: boolean;
  readonly userVerified?: boolean;
  readonly counter?: number;
  readonly credentialId?: string;
  /** Signs with another key. */
  readonly otherKey?: boolean;
  readonly synced?: boolean;
}

interface Options {
  readonly challenge: string;
  readonly rp?: { readonly id: string };
  readonly rpId?: string;
  readonly user?: { readonly id: string };
}

export interface SoftPasskey {
  readonly credentialId: string;
  readonly handle: string;
  /** How often it has signed. A synced one does not count. */
  readonly counter: number;
  /** The answer to a request for an assertion, as JSON. */
  assert(options: string, lies?: Lies): string;
}

const text = (value: Buffer | string) => Buffer.from(value).toString('base64url');
const sha256 = (value: Buffer | string) => createHash('sha256').update(value).digest();

export interface Making {
  /** The origin of the page. */
  readonly origin: string;
  readonly synced?: boolean;
  readonly algorithm?: 'ES256' | 'EdDSA' | 'RS256';
  readonly credentialId?: Buffer;
}

/** Answers options for a new credential: the passkey, and what the browser sends. */
export function makePasskey(
  optionsText: string,
  { origin, synced = false, algorithm = 'ES256', credentialId = randomBytes(32) }: Making,
  lies: Lies = {},
): { passkey: SoftPasskey; credential: string } {
  const options: Options = JSON.parse(optionsText);
  const pair = keyPair(algorithm);
  let counter = 0;

  const clientData = (type: string, challenge: string, lie: Lies) =>
    Buffer.from(
      JSON.stringify({
        type: lie.type ?? type,
        challenge: lie.challenge ?? challenge,
        origin: lie.origin ?? origin,
        crossOrigin: lie.crossOrigin ?? false,
      }),
    );

  const authenticatorData = (rpId: string, lie: Lies, attested = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lie.counter ?? counter);
    const flags =
      ((lie.userPresent ?? true) ? 1 : 0) |
      ((lie.userVerified ?? true) ? 4 : 0) |
      ((lie.synced ?? synced) ? 8 | 16 : 0) |
      (attested.length > 0 ? 64 : 0);
    return Buffer.concat([sha256(lie.rpId ?? rpId), Buffer.from([flags]), count, attested]);
  };

  const length = Buffer.alloc(2);
  length.writeUInt16BE(credentialId.length);
  const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey(algorithm, pair.publicKey)]);
  const credential = {
    id: text(credentialId),
    rawId: text(credentialId),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    response: {
      clientDataJSON: text(clientData('webauthn.create', options.challenge, lies)),
      attestationObject: text(
        cborMap([
          [cborText('fmt'), cborText('none')],
          [cborText('attStmt'), cborMap([])],
          [cborText('authData'), cborBytes(authenticatorData(options.rp?.id ?? '', lies, attested))],
        ]),
      ),
      transports: ['internal', 'hybrid'],
    },
    clientExtensionResults: { credProps: { rk: true } },
  };

  const passkey: SoftPasskey = {
    credentialId: text(credentialId),
    handle: options.user?.id ?? '',
    get counter() {
      return counter;
    },
    assert(requested, lie = {}) {
      const { challenge, rpId = '' }: Options = JSON.parse(requested);
      if (!synced) counter += 1;
      const client = clientData('webauthn.get', challenge, lie);
      const data = authenticatorData(rpId, lie);
      const { privateKey } = lie.otherKey ? keyPair(algorithm) : pair;
      const id = lie.credentialId ?? text(credentialId);
      const userHandle = 'userHandle' in lie ? lie.userHandle : options.user?.id;
      return JSON.stringify({
        id,
        rawId: id,
        type: 'public-key',
        response: {
          clientDataJSON: text(client),
          authenticatorData: text(data),
          signature: text(
            sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.concat([data, sha256(client)]), privateKey),
          ),
          ...(userHandle !== undefined && { userHandle }),
        },
        clientExtensionResults: {},
      });
    },
  };
  return { passkey, credential: JSON.stringify(credential) };
}

/** Enrols a passkey of this person. */
export async function enrolPasskey(
  passkeys: Passkeys,
  subject: string,
  making: Making & { readonly name?: string },
): Promise<SoftPasskey & { readonly id: string; readonly recoveryCodes: readonly string[] }> {
  const begun = await passkeys.beginEnrolment(subject, 'test');
  if (begun.outcome !== 'begun') throw new Error(`no enrolment: ${begun.outcome}`);
  const { passkey, credential } = makePasskey(begun.options, making);
  const enrolled = await passkeys.finishEnrolment(subject, { purpose: 'test', credential, name: making.name ?? '' });
  if (enrolled.outcome !== 'enrolled') throw new Error(`not enrolled: ${enrolled.outcome}`);
  return Object.assign(passkey, { id: enrolled.passkey.id, recoveryCodes: enrolled.recoveryCodes });
}

function keyPair(algorithm: NonNullable<Making['algorithm']>): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** RFC 9053, section 7. */
function coseKey(algorithm: NonNullable<Making['algorithm']>, key: KeyObject): Buffer {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const bytes = (value: string) => cborBytes(Buffer.from(value, 'base64url'));
  const members: Record<typeof algorithm, [number, Buffer][]> = {
    ES256: [
      [1, cborNumber(2)],
      [3, cborNumber(-7)],
      [-1, cborNumber(1)],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    EdDSA: [
      [1, cborNumber(1)],
      [3, cborNumber(-8)],
      [-1, cborNumber(6)],
      [-2, bytes(x)],
    ],
    RS256: [
      [1, cborNumber(3)],
      [3, cborNumber(-257)],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  };
  return cborMap(members[algorithm].map(([label, value]) => [cborNumber(label), value]));
}

/** RFC 8949, as far as it is needed. */
function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}
const cborNumber = (value: number) => (value < 0 ? cborHead(1, -1 - value) : cborHead(0, value));
const cborBytes = (value: Buffer) => Buffer.concat([cborHead(2, value.length), value]);
const cborText = (value: string) => Buffer.concat([cborHead(3, value.length), Buffer.from(value)]);
const cborMap = (members: [Buffer, Buffer][]) => Buffer.concat([cborHead(5, members.length), ...members.flat()]);
