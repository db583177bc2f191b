/**
 * Password hashes of other systems, from an import: bcrypt, PBKDF2, scrypt and Argon2. Each is verified as its own
 * system did, with the same limits: bcrypt reads only the first 72 bytes.
 *
 * Anyone who knows a username can trigger the computation of its hash, so hashes that would overload the machine are
 * refused at the import.
 */
import { pbkdf2 as pbkdf2Callback, type ScryptOptions, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { parseOptions, verify as verifyArgon2 } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

// Both run on libuv's threads, as the two packages do.
const pbkdf2 = promisify(pbkdf2Callback);
const scrypt = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scryptCallback);

type ForeignAlgorithm = 'bcrypt' | 'pbkdf2' | 'scrypt' | 'argon2';

type ForeignHash =
  | {
      readonly outcome: 'usable';
      readonly algorithm: ForeignAlgorithm;
      verify(password: Buffer): Promise<boolean>;
    }
  | { readonly outcome: 'unusable'; readonly sentence: string };

/** The most that one check may cost: about four seconds of one core, and the usual maximum memory of Argon2. */
const limits = {
  bcryptCost: 15,
  /** Rounds of HMAC: iterations times the blocks of the result. */
  pbkdf2Rounds: 5_000_000,
  scryptBytes: 256 * 1024 * 1024,
  /** N times r times p; four times the strongest common parameters. */
  scryptWork: 2 ** 22,
  argon2KiB: 1024 * 1024,
  /** KiB times passes. */
  argon2Work: 4 * 1024 * 1024,
} as const;

/** Bytes. A shorter digest would match other passwords by chance; an empty one would match every password. */
const digestBytes = { min: 16, max: 64 } as const;
const saltBytesMax = 128;
const textMax = 1024;

interface Scheme {
  readonly algorithm: ForeignAlgorithm;
  /** The prefix of this scheme's hashes. */
  readonly begins: RegExp;
  readonly form: RegExp;
  /** `groups`: the named groups of `form`. Returns undefined if the text is not a hash of this scheme. */
  read(text: string, groups: Groups): ((password: Buffer) => Promise<boolean>) | 'too-costly' | undefined;
}

type Groups = Readonly<Record<string, string | undefined>>;

const base64 = '[A-Za-z0-9+/.]{1,200}';

const schemes: readonly Scheme[] = [
  {
    algorithm: 'bcrypt',
    // Not 2x: a broken version made those hashes, which would need special handling.
    begins: /^\$2[aby]\$/,
    form: /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/,
    read(text, { cost }) {
      if (Number(cost) < 4) return undefined;
      if (Number(cost) > limits.bcryptCost) return 'too-costly';
      return (password) => verifyBcrypt(password, text);
    },
  },
  {
    algorithm: 'pbkdf2',
    begins: /^\$pbkdf2(-sha(1|256|512))?\$/,
    form: new RegExp(
      String.raw`^\$pbkdf2(-(?<digest>sha1|sha256|sha512))?\$(i=)?(?<rounds>\d{1,10})(,l=(?<length>\d{1,3}))?\$(?<salt>${base64})={0,2}\$(?<hash>${base64})={0,2}$`,
    ),
    read(_text, { digest = 'sha1', rounds, length, salt, hash }) {
      const wanted = bytes(hash);
      if (length !== undefined && Number(length) !== wanted.length) return undefined;
      return readPbkdf2(digest, Number(rounds), bytes(salt), wanted);
    },
  },
  {
    algorithm: 'pbkdf2',
    // Django uses the text of the salt as it is.
    begins: /^pbkdf2_sha(1|256|512)\$/,
    form: new RegExp(
      String.raw`^pbkdf2_(?<digest>sha1|sha256|sha512)\$(?<rounds>\d{1,10})\$(?<salt>[^$]{1,${saltBytesMax}})\$(?<hash>${base64})={0,2}$`,
    ),
    read: (_text, { digest = '', rounds, salt = '', hash }) =>
      readPbkdf2(digest, Number(rounds), Buffer.from(salt), bytes(hash)),
  },
  {
    algorithm: 'scrypt',
    begins: /^\$scrypt\$/,
    form: new RegExp(
      String.raw`^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,4}),p=(?<p>\d{1,4})\$(?<salt>${base64})={0,2}\$(?<hash>${base64})={0,2}$`,
    ),
    read(_text, { ln, r, p, salt, hash }) {
      const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) };
      const [saltBytes, wanted] = [bytes(salt), bytes(hash)];
      if (Number(ln) < 1 || cost.r < 1 || cost.p < 1 || !isDigest(wanted) || !isSalt(saltBytes)) return undefined;
      const memory = 128 * cost.r * (cost.N + cost.p);
      if (memory > limits.scryptBytes * 1.01 || cost.N * cost.r * cost.p > limits.scryptWork) return 'too-costly';
      // OpenSSL needs a little more memory than the algorithm's own tables.
      const options = { ...cost, maxmem: 2 * memory + 1024 * 1024 };
      return async (password) => timingSafeEqual(await scrypt(password, saltBytes, wanted.length, options), wanted);
    },
  },
  {
    algorithm: 'argon2',
    begins: /^\$argon2(id|i|d)\$/,
    form: new RegExp(
      String.raw`^\$argon2(id|i|d)\$(v=(16|19)\$)?m=(?<m>\d{1,9}),t=(?<t>\d{1,9}),p=(?<p>\d{1,4})\$(?<salt>${base64})\$(?<hash>${base64})$`,
    ),
    read(text, { m, t, salt, hash }) {
      if (!isDigest(bytes(hash)) || !isSalt(bytes(salt)) || !isArgon2(text)) return undefined;
      if (Number(m) > limits.argon2KiB || Number(m) * Number(t) > limits.argon2Work) return 'too-costly';
      return (password) => verifyArgon2(text, password);
    },
  },
];

/** Reads a hash from an import or from the database. Never throws; the sentence is for the importing operator. */
export function readForeignHash(given: string): ForeignHash {
  // Django adds the name of its class before the hash.
  const text = given.replace(/^(argon2(?=\$argon2)|bcrypt\$(?=\$2))/, '');
  const scheme = text.length > textMax ? undefined : schemes.find(({ begins }) => begins.test(text));
  if (scheme === undefined) {
    return unusable('It is none of the hashes that can be imported: bcrypt, PBKDF2, scrypt and Argon2.');
  }
  const { algorithm, form, read } = scheme;
  const groups = form.exec(text)?.groups;
  const verify = groups && read(text, groups);
  if (verify === undefined) return unusable(`It begins like a hash of ${algorithm}, but is none.`);
  if (verify === 'too-costly') {
    return unusable(`It is a hash of ${algorithm} whose check would take too much time or memory of this server.`);
  }
  return { outcome: 'usable', algorithm, verify };
}

function readPbkdf2(digest: string, rounds: number, salt: Buffer, wanted: Buffer): ReturnType<Scheme['read']> {
  if (rounds < 1 || !isDigest(wanted) || !isSalt(salt)) return undefined;
  const block = { sha1: 20, sha256: 32, sha512: 64 }[digest] ?? 1;
  if (rounds * Math.ceil(wanted.length / block) > limits.pbkdf2Rounds) return 'too-costly';
  return async (password) => timingSafeEqual(await pbkdf2(password, salt, rounds, wanted.length, digest), wanted);
}

function unusable(sentence: string): ForeignHash {
  return { outcome: 'unusable', sentence };
}

/** Base64 with or without padding; some libraries write `.` for `+`. */
function bytes(text = ''): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}

function isDigest({ length }: Buffer): boolean {
  return length >= digestBytes.min && length <= digestBytes.max;
}

function isSalt({ length }: Buffer): boolean {
  return length >= 1 && length <= saltBytesMax;
}

/** Whether the verifying library can read the hash. */
function isArgon2(text: string): boolean {
  try {
    parseOptions(text);
    return true;
  } catch {
    return false;
  }
}
