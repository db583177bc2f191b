/**
 * Sign-in through upstream providers, and the identities there that are linked to accounts here.
 *
 *   begin -> [browser at the provider] -> finish -> signIn | signUp | link
 *
 * - A state belongs to one browser and one provider. Each provider has its own callback URL (RFC 9700, section 4.4).
 *   The state is consumed before any request to the provider.
 * - Only provider and subject decide who signs in. An equal e-mail address opens nothing: it may be claimed or
 *   reassigned.
 * - Linking requires both proofs: the provider's, and a sign-in to the account here.
 * - Failures count with failed sign-ins of their IP address, except failures of the provider.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { randomToken } from '../../base/secrets.ts';
import { type Amr, withTwoFactors } from '../kernel/amr.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { emailKey, emailProblem, nameProblems, personNameProblem, usernameKey } from '../kernel/names.ts';
import { addressThrottleKey } from '../kernel/throttle-keys.ts';
import type { SignUp, SignUpOutcome } from '../registration/sign-up.ts';
import type { SignIn, SignInOutcome } from '../sign-in/sign-in.ts';
import type { Account } from '../stores/accounts.ts';
import type { IdentityRow, NewIdentity } from '../stores/identities.ts';
import type { Stores } from '../stores/stores.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import { signedInAt, staleness } from './upstream-freshness.ts';
import type { UpstreamFailure, UpstreamProvider } from './upstream-provider.ts';
import { createUpstreamStates, type Freshness, type Place, samePlace } from './upstream-state.ts';

/**
 * Proof that a provider has authenticated a user; valid for ten minutes. Its bearer is that user, so it must not leave
 * this server.
 */
export interface UpstreamProof {
  readonly provider: string;
  readonly subject: string;
  /** The user's name at the provider. */
  readonly label: string;
  /** The username there, if it is valid here. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  /** The address is the user's, as stated by a provider that is trusted for addresses. */
  readonly emailProved: boolean;
  readonly firstName: string;
  readonly lastName: string;
  readonly amr: readonly Amr[];
  /** Time of the sign-in there: seconds since the epoch, or 0 if unknown. */
  readonly authTime: number;
  readonly at: number;
}

type FinishFailure = UpstreamFailure | 'expired' | 'throttled';

type FinishOutcome =
  | { readonly outcome: 'proved'; readonly proof: UpstreamProof }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'failed'; readonly reason: FinishFailure; readonly retryAfter?: number };

/** What a user without a linked account can do. */
interface Newcomer {
  /** They may create an account. */
  readonly signUp: boolean;
  /** An account here has proved the address, so the user must link it: a second account cannot have the address. */
  readonly known: boolean;
  /** Free at this moment. */
  readonly username: string | undefined;
}

/** All throw `Unavailable` if storage is not available. */
export interface Upstream {
  /** Providers that can meet the requested freshness, in the order of the settings. */
  offered(fresh?: Freshness): readonly Pick<UpstreamProvider, 'id' | 'name'>[];
  name(provider: string): string;
  begin(
    provider: string,
    about: { readonly place: Place; readonly fresh: Freshness; readonly uiLocales?: string | undefined },
    caller: Caller,
  ): Promise<
    | { readonly outcome: 'address'; readonly address: string }
    | { readonly outcome: 'failed'; readonly reason: UpstreamFailure }
    | { readonly outcome: 'unknown' }
  >;
  /**
   * Returns where the answer to this provider's callback belongs, or undefined if it was not requested. Does not
   * consume the state.
   */
  placeOf(provider: string, state: string): Place | undefined;
  finish(provider: string, place: Place, answer: URLSearchParams, caller: Caller): Promise<FinishOutcome>;
  /** `unknown`: no account is linked with the identity. `expired`: the proof has expired. */
  signIn(proof: UpstreamProof, caller: Caller): Promise<SignInOutcome | { readonly outcome: 'unknown' | 'expired' }>;
  newcomer(proof: UpstreamProof): Promise<Newcomer>;
  signUp(
    proof: UpstreamProof,
    username: string,
    caller: Caller,
  ): Promise<SignUpOutcome | { readonly outcome: 'expired' }>;
  /** The caller has checked that the user can use the account. `not-found`: the account has changed since. */
  link(proof: UpstreamProof, account: Account, caller: Caller): Promise<'linked' | 'taken' | 'not-found' | 'expired'>;
  linked(subject: string): Promise<readonly IdentityRow[]>;
  unlink(subject: string, id: string, caller: Caller): Promise<'unlinked' | 'not-found' | 'last'>;
}

const proofSeconds = 600;

export function createUpstream(parts: {
  providers: readonly UpstreamProvider[];
  secrets: { readonly secretKey: string };
  stores: Pick<Stores, 'links' | 'identities' | 'accounts'>;
  signIn: Pick<SignIn, 'withProvider'>;
  signUp: SignUp;
  throttle: Throttle;
  audit: Audit;
  log: Logger;
  config: {
    readonly issuer: string;
    readonly signUp: 'open' | 'invite' | 'off';
    /** Failures per IP address within the window (seconds). Shares its counter with failed sign-ins. */
    readonly throttle: { readonly addressLimit: number; readonly window: number };
  };
}): Upstream {
  const { throttle, audit, log, config } = parts;
  const { identities, accounts, links } = parts.stores;
  const states = createUpstreamStates({ links, secretKey: parts.secrets.secretKey });
  const providers = new Map(parts.providers.map((provider) => [provider.id, provider]));

  const suits = (provider: UpstreamProvider, { maxAge }: Freshness): boolean =>
    maxAge === undefined || provider.freshSignIn !== 'never';

  const failed = <Reason extends FinishFailure>(provider: string, reason: Reason, detail: string, caller: Caller) => {
    const { requestId } = caller;
    // The error page shows the request id as its reference.
    log.warn({ upstream: provider, reason, detail, requestId }, 'a sign-in through another provider failed');
    audit.note('upstream.failed', { caller, detail: { upstream: provider, reason } });
    return { outcome: 'failed', reason } as const;
  };

  const requestOf = (provider: string, state: string, fresh: Freshness, uiLocales: string | undefined) => ({
    redirectUri: `${config.issuer}/upstream/${provider}/callback`,
    state,
    ...states.secrets(state),
    fresh,
    uiLocales,
  });

  const provedEmail = ({ email, emailProved }: UpstreamProof) => (emailProved ? email : undefined);

  const holds = ({ at }: UpstreamProof): boolean => nowSeconds() < at + proofSeconds;

  const identityOf = (proof: UpstreamProof): NewIdentity => ({
    id: randomToken(16),
    provider: proof.provider,
    providerSubject: proof.subject,
    label: proof.label,
    createdAt: nowSeconds(),
  });

  const isFree = async (username: string): Promise<boolean> => {
    const key = usernameKey(username);
    return key !== undefined && (await accounts.byUsernameKey(key)) === undefined;
  };

  const written = createCallerRecord(audit);

  const offers = ({ signUp }: UpstreamProvider): boolean => signUp && config.signUp === 'open';

  return {
    offered: (fresh = { login: false }) =>
      [...providers.values()].filter((provider) => suits(provider, fresh)).map(({ id, name }) => ({ id, name })),

    name: (id) => providers.get(id)?.name ?? id,

    async begin(id, { place, fresh, uiLocales }, caller) {
      const provider = providers.get(id);
      if (provider === undefined || !suits(provider, fresh)) return { outcome: 'unknown' };
      const state = await states.make({ provider: id, place, fresh });
      const begun = await provider.address(requestOf(id, state, fresh, uiLocales));
      return begun.outcome === 'address' ? begun : failed(id, begun.reason, begun.detail, caller);
    },

    placeOf(provider, state) {
      const known = states.read(state);
      return known?.provider === provider ? known.place : undefined;
    },

    async finish(id, place, answer, caller) {
      const keys = [{ key: addressThrottleKey(caller.address), limit: config.throttle.addressLimit }];
      const counted = await throttle.attempt(keys, config.throttle.window);
      if (!counted.allowed) {
        return { ...failed(id, 'throttled', 'too many failures', caller), retryAfter: counted.retryAfter };
      }
      const giveBack = () => throttle.giveBack(keys.map(({ key }) => key));
      const state = answer.get('state') ?? '';
      const known = states.read(state);
      const provider = providers.get(id);
      const own = known?.provider === id && samePlace(known.place, place);
      if (provider === undefined || !own || !(await states.take(state))) {
        return failed(id, 'expired', 'the state is unknown, used or expired', caller);
      }
      const request = { ...requestOf(id, state, known.fresh, undefined), sentAt: known.at };
      const found = await provider.identify(answer, request);
      if (found.outcome === 'failed') {
        if (found.reason !== 'wrong') await giveBack();
        return failed(id, found.reason, found.detail, caller);
      }
      await giveBack();
      const { person, lacking } = found;
      if (lacking !== undefined)
        log.warn(
          { upstream: id, detail: lacking, requestId: caller.requestId },
          'the answer of a provider is incomplete',
        );
      const late = staleness(known, person.authTime, provider.freshSignIn);
      if (late !== undefined) return failed(id, 'not-fresh', late, caller);
      const { username, email, firstName, lastName } = person;
      const usable = email !== undefined && emailProblem(email) === undefined ? email : undefined;
      const emailProved = usable !== undefined && person.emailVerified && provider.trustEmail;
      const named = username !== undefined && parts.signUp.nameProblem(username, emailProved ? usable : undefined);
      return {
        outcome: 'proved',
        proof: {
          provider: id,
          subject: person.subject,
          label: (username ?? email ?? person.subject).slice(0, 200).toWellFormed().replaceAll('\0', '\uFFFD'),
          username: named === undefined ? username : undefined,
          email: usable,
          emailProved,
          firstName: personNameProblem(firstName) === undefined ? firstName : '',
          lastName: personNameProblem(lastName) === undefined ? lastName : '',
          // Clients must not get an `amr` that the operator does not trust.
          amr: provider.trustMfa ? withTwoFactors(person.amr) : [],
          authTime: signedInAt(person.authTime, provider.freshSignIn),
          at: nowSeconds(),
        },
      };
    },

    async signIn(proof, caller) {
      const provider = providers.get(proof.provider);
      if (!holds(proof) || provider === undefined) return { outcome: 'expired' };
      const identity = await identities.find(proof.provider, proof.subject);
      if (identity === undefined) return { outcome: 'unknown' };
      // Without `mfa` in its answer, the provider has asked for no second factor, whatever the operator trusts.
      const enough = provider.trustMfa && proof.amr.includes('mfa');
      const elsewhere = { provider: provider.id, amr: proof.amr, at: proof.authTime, enough };
      return parts.signIn.withProvider({ ...caller, identity, elsewhere });
    },

    async newcomer(proof) {
      const provider = providers.get(proof.provider);
      const email = provedEmail(proof);
      const key = email === undefined ? undefined : emailKey(email);
      const known = key !== undefined && (await accounts.byVerifiedEmailKey(key)) !== undefined;
      const free = proof.username !== undefined && (await isFree(proof.username));
      return {
        signUp: provider !== undefined && offers(provider) && !known,
        known,
        username: free ? proof.username : undefined,
      };
    },

    async signUp(proof, username, caller) {
      const provider = providers.get(proof.provider);
      if (!holds(proof) || provider === undefined) return { outcome: 'expired' };
      if (!offers(provider)) return { outcome: 'closed' };
      const reason = parts.signUp.nameProblem(username, provedEmail(proof));
      if (reason !== undefined)
        return { outcome: 'invalid', field: 'username', reason, sentence: nameProblems[reason] };
      const { email, firstName, lastName } = proof;
      const made = await parts.signUp.signUp(
        { username, password: undefined, firstName, lastName, email, identity: identityOf(proof) },
        caller,
        { email: proof.emailProved ? 'proved' : 'later' },
      );
      if (made.outcome === 'created')
        await written('identity.linked', made.account.subject, caller, { upstream: provider.id });
      return made;
    },

    async link(proof, account, caller) {
      if (!holds(proof)) return 'expired';
      const linked = await identities.link(account, identityOf(proof));
      if (linked === 'linked') await written('identity.linked', account.subject, caller, { upstream: proof.provider });
      return linked === 'already' ? 'linked' : linked;
    },

    linked: (subject) => identities.list(subject),

    async unlink(subject, id, caller) {
      const identity = (await identities.list(subject)).find((one) => one.id === id);
      if (identity === undefined) return 'not-found';
      const unlinked = await identities.unlink(subject, id, [...providers.keys()]);
      if (unlinked === 'unlinked') await written('identity.unlinked', subject, caller, { upstream: identity.provider });
      return unlinked;
    },
  };
}
