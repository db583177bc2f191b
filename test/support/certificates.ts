/** Certificates for servers that tests start (RFC 5280), signed by an authority that this process trusts. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const octets = (...parts: readonly Buffer[]) => der(0x04, ...parts);
const yes = der(0x01, Buffer.from([0xff]));
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const names = {
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
  ecdsaSha256: '2a8648ce3d040302',
};
const algorithm = sequence(identifier(names.ecdsaSha256));
const nameOf = (text: string) =>
  sequence(der(0x31, sequence(identifier(names.commonName), der(0x0c, Buffer.from(text)))));
const time = (text: string) => der(0x18, Buffer.from(text));
const extension = (name: string, value: Buffer) => sequence(identifier(name), yes, octets(value));

function certificate(
  subject: string,
  publicKey: KeyObject,
  signer: { name: string; key: KeyObject },
  more: Buffer,
): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(signer.name),
    sequence(time('20200101000000Z'), time('20991231000000Z')),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(more)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, signer.key));
  const text = sequence(body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export interface Authority {
  readonly cert: string;
  /** A certificate for this host name or address. */
  issue(host: string): Certificate;
}

export function createAuthority(): Authority {
  const { publicKey, privateKey } = pair();
  const signer = { name: `Test authority ${randomBytes(4).toString('hex')}`, key: privateKey };
  const cert = certificate(signer.name, publicKey, signer, extension(names.basicConstraints, sequence(yes)));
  return {
    cert,
    issue(host) {
      const own = pair();
      const octet =
        isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));
      const alternative = extension(names.subjectAltName, sequence(octet));
      return {
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        cert: certificate(host, own.publicKey, signer, alternative),
      };
    },
  };
}

/** For the rest of this process, beside the authorities that it trusts by itself. */
export function trust({ cert }: Authority): void {
  setDefaultCACertificates([...getCACertificates('default'), cert]);
}
