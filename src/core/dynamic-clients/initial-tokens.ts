/**
 * Initial access tokens: an operator gives one to those who may register clients (RFC 7591, section 3). Shown once;
 * only its hash is stored. The prefix lets secret scanners find it in a repository.
 */
import { nowSeconds } from '../../base/clock.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import type { InitialToken, RegistrationPolicy, RegistrationStore } from '../stores/registrations.ts';

const prefix = 'gatehouse_iat_';
const form = /^gatehouse_iat_[A-Za-z0-9_-]{43}$/;

interface NewInitialToken {
  readonly label: string;
  readonly policy: RegistrationPolicy;
  /** Null: no limit. */
  readonly usesMax: number | null;
  /** In seconds. Null: until it is revoked. */
  readonly lifetime: number | null;
}

export interface InitialTokens {
  /** `value` is shown once. All methods throw `Unavailable`. */
  create(token: NewInitialToken): Promise<{ readonly value: string; readonly token: InitialToken }>;
  /** Returns undefined if the token is unknown, used up or expired. Does not count a use. */
  find(value: string): Promise<InitialToken | undefined>;
  /** The newest first. */
  list(): Promise<InitialToken[]>;
  /** Returns false if there is none. Clients that used it stay. */
  revoke(id: string): Promise<boolean>;
}

const listMax = 1000;

const isUsable = ({ usesMax, uses, expiresAt }: InitialToken, now: number): boolean =>
  (usesMax === null || uses < usesMax) && (expiresAt === null || now < expiresAt);

export function createInitialTokens({ registrations }: { readonly registrations: RegistrationStore }): InitialTokens {
  return {
    async create({ lifetime, ...made }) {
      const now = nowSeconds();
      const value = prefix + randomToken(32);
      const hash = digest(value);
      // Hexadecimal, because a command line reads a leading hyphen as an option.
      const id = Buffer.from(digest(`initial-token-id:${hash}`), 'base64url').toString('hex', 0, 6);
      const expiresAt = lifetime === null ? null : now + lifetime;
      const token = { ...made, id, hash, uses: 0, createdAt: now, expiresAt, lastUsedAt: null };
      await registrations.insertToken(token);
      return { value, token };
    },

    async find(value) {
      if (!form.test(value)) return undefined;
      const token = await registrations.findToken(digest(value));
      return token && isUsable(token, nowSeconds()) ? token : undefined;
    },

    list: () => registrations.listTokens(listMax),
    revoke: (id) => registrations.removeToken(id),
  };
}
