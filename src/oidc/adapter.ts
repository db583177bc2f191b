/**
 * The engine's storage adapter over the core's ports.
 *
 * No stored byte holds a usable value: a record is kept under the SHA-256 of its value, its payload without the value, and
 * an interaction (whose parameters and return address would hold several) sealed under a key made from its own value.
 * Writes of a request are collected in its unit; outside a request (our own pages) they are committed at once.
 */
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import { deriveKey, digest, seal, unseal } from '../base/secrets.ts';
import type { CachedClients } from '../core/cached-clients.ts';
import { successorOf } from '../core/reuse-window.ts';
import { isIdle } from '../core/sessions.ts';
import type {
  AccountStore,
  EngineStore,
  GrantRow,
  SessionOrigin,
  StoredSession,
  TokenBundle,
  TokenRow,
} from '../core/stores.ts';
import { factsOf } from '../http/front-door.ts';
import { engineClient } from './clients.ts';
import { currentUnit } from './request-unit.ts';
import { isBrowsers, sameJson, sessionRow } from './session-merge.ts';
import { orUnavailable } from './unavailable.ts';

export interface AdapterDeps {
  readonly engine: EngineStore;
  readonly accounts: AccountStore;
  readonly clients: CachedClients;
  readonly settings: {
    /** Seconds in which a replaced refresh token still answers with its successor; 0: never. */
    readonly reuseWindow: number;
    /** Seconds from the sign-in to the end of a session: where its person chose to be remembered, and where not. */
    readonly session: number;
    readonly sessionUnremembered: number;
    /** Seconds without use; 0: it does not matter. */
    readonly sessionIdle: number;
  };
  /** A person has just used a session. */
  readonly seen: (subject: string, sessionUid: string) => void;
}

/** One adapter object per model name, as the engine asks for them. */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return clientAdapter(deps);
      case 'Grant':
        return grantAdapter(deps);
      case 'Session':
        return sessionAdapter(deps);
      default:
        return tokenAdapter(deps, model);
    }
  };
}

// ---- clients --------------------------------------------------------------------------------------------------------

function clientAdapter(deps: AdapterDeps): Adapter {
  return adapterOf('Client', {
    async find(id) {
      const record = await deps.clients.find(id);
      return record && record.disabledAt === null ? engineClient(record) : undefined;
    },
  });
}

// ---- grants ---------------------------------------------------------------------------------------------------------

function grantAdapter(deps: AdapterDeps): Adapter {
  return adapterOf('Grant', {
    async find(id) {
      const unit = currentUnit();
      const known = unit?.grants.get(id) ?? unit?.reads.grants.get(id);
      if (known) return grantPayload(known);
      const read = await deps.engine.readGrant(id);
      if (read && unit) {
        unit.reads.grants.set(id, read.grant);
        unit.reads.accounts.set(read.grant.subject, read.account);
      }
      return read && grantPayload(read.grant);
    },
    async upsert(id, payload) {
      const { jti: _value, ...rest } = payload;
      const row: GrantRow = {
        id,
        clientId: String(payload.clientId),
        subject: String(payload.accountId),
        payload: JSON.stringify(rest),
        expiresAt: payload.exp ?? nowSeconds(),
      };
      const unit = currentUnit();
      if (unit) unit.grants.set(id, row);
      else await deps.engine.commit({ grants: [row] });
    },
    async destroy(id) {
      await revokeGrant(deps, id);
    },
  });
}

function grantPayload(row: GrantRow): AdapterPayload {
  return Object.assign(JSON.parse(row.payload), { jti: row.id });
}

/** Grant and tokens together, once per request however many models ask for it. */
function revokeGrant(deps: AdapterDeps, id: string): Promise<void> {
  const unit = currentUnit();
  let revoking = unit?.revoked.get(id);
  if (!revoking) {
    revoking = deps.engine.revokeGrant(id);
    unit?.revoked.set(id, revoking);
    unit?.grants.delete(id);
  }
  return revoking;
}

// ---- sessions -------------------------------------------------------------------------------------------------------

function sessionAdapter(deps: AdapterDeps): Adapter {
  const payloadOf = (session: StoredSession, value?: string): AdapterPayload | undefined => {
    const payload: AdapterPayload = JSON.parse(session.payload);
    if (!isBrowsers(session)) {
      // Its end is the row's, whatever the engine has computed at a save.
      if (session.expiresAt <= nowSeconds()) return undefined;
      return Object.assign(payload, { exp: session.expiresAt }, value === undefined ? {} : { jti: value });
    }
    const signedInAt = payload.loginTs ?? session.createdAt;
    // Absolute: using a session does not make it longer (the engine alone would let it roll on).
    if (signedInAt + sessionLifetime(deps.settings, payload) <= nowSeconds()) return undefined;
    if (isIdle(session, deps.settings.sessionIdle)) return undefined;
    if (value !== undefined) payload.jti = value;
    return payload;
  };

  return adapterOf('Session', {
    async find(value) {
      const key = digest(value);
      const unit = currentUnit();
      let reading = unit?.reads.bundles.get(key);
      if (!reading) {
        reading = deps.engine.readSession(key, requestedClient());
        unit?.reads.bundles.set(key, reading);
      }
      const bundle = await reading;
      if (!bundle) return undefined;
      if (unit) {
        unit.reads.sessionsByUid.set(bundle.session.uid, bundle.session);
        if (bundle.session.subject) unit.reads.accounts.set(bundle.session.subject, bundle.account);
        if (bundle.grant) unit.reads.grants.set(bundle.grant.id, bundle.grant);
      }
      // A disabled or deleted person has no session: the browser is asked to sign in.
      if (bundle.session.subject && bundle.account?.disabledAt !== null) return undefined;
      const payload = payloadOf(bundle.session, value);
      if (payload && bundle.session.subject) deps.seen(bundle.session.subject, bundle.session.uid);
      return payload;
    },
    async findByUid(uid) {
      const unit = currentUnit();
      let session = unit?.reads.sessionsByUid.get(uid);
      if (!unit?.reads.sessionsByUid.has(uid)) {
        session = (await deps.engine.readSessionByUid(uid))?.session;
        unit?.reads.sessionsByUid.set(uid, session);
      }
      const payload = session && payloadOf(session);
      // An application that goes on with what hangs on this session uses it, too.
      if (payload && session?.subject && deps.settings.sessionIdle > 0) deps.seen(session.subject, uid);
      return payload;
    },
    async upsert(value, payload) {
      const { jti: _value, ...rest } = payload;
      const unit = currentUnit();
      const before = unit?.reads.sessionsByUid.get(String(payload.uid));
      const row = sessionRow(digest(value), rest, { before, expiresAt: nowSeconds(), origin: originOf(rest, before) });
      if (!unit) {
        await deps.engine.commit({ sessions: [row] });
        return;
      }
      // For a cookie whose session has ended the engine makes an empty one at each request. Nobody is in it: it need not be kept.
      if (!before && payload.accountId === undefined && payload.state === undefined) return;
      // Nothing changed: nothing is written. The engine saves a session at every authorization request, a refused one too, and
      // would undo what another request has changed meanwhile. It does not keep the order of the members.
      if (before && before.key === row.key && sameJson(before.payload, row.payload)) unit.sessions.delete(row.uid);
      else unit.sessions.set(row.uid, row);
    },
    async destroy(value) {
      const unit = currentUnit();
      const bundle = await (unit?.reads.bundles.get(digest(value)) ??
        deps.engine.readSession(digest(value), undefined));
      if (!bundle) return;
      if (unit) unit.destroyedSessions.add(bundle.session.uid);
      else await deps.engine.deleteSession(bundle.session.uid);
    },
  });
}

/** Seconds from the sign-in on. */
export function sessionLifetime(
  lifetimes: { readonly session: number; readonly sessionUnremembered: number },
  { transient }: { readonly transient?: boolean | undefined },
): number {
  return transient ? lifetimes.sessionUnremembered : lifetimes.session;
}

/** Where the person is who has just signed in; a session that goes on stays where it was begun. */
function originOf({ accountId, loginTs }: AdapterPayload, before: StoredSession | undefined): SessionOrigin {
  const known: AdapterPayload | undefined = before && JSON.parse(before.payload);
  if (before && known?.accountId === accountId && known?.loginTs === loginTs) return before.origin;
  const req = Provider.ctx?.req;
  // Node takes nothing beyond Latin-1 in a header, and no U+0000: fit for every database.
  const userAgent = req?.headers['user-agent']?.slice(0, 256);
  return {
    door: 'browser',
    clientId: null,
    address: (req && factsOf(req).address) || null,
    userAgent: userAgent || null,
  };
}

/** Which client's grant is worth bringing along with the session. */
function requestedClient(): string | undefined {
  const ctx = Provider.ctx;
  const asked = ctx?.oidc?.route === 'authorization' ? ctx.query.client_id : undefined;
  return typeof asked === 'string' ? asked : undefined;
}

// ---- codes, tokens, interactions ------------------------------------------------------------------------------------

function tokenAdapter(deps: AdapterDeps, model: string): Adapter {
  return adapterOf(model, {
    async find(value) {
      const bundle = await readToken(deps, digest(value));
      if (bundle?.token.kind !== model) return undefined;
      if (model === 'Interaction') return bundle.token.consumedAt === null ? openInteraction(bundle, value) : undefined;
      if (!(await stillGood(deps, bundle))) return undefined;

      const payload: AdapterPayload = Object.assign(JSON.parse(bundle.token.payload), { jti: value });
      if (bundle.token.consumedAt !== null) applyConsumption(deps, model, bundle, value, payload);
      return payload;
    },
    async upsert(value, payload) {
      const row = model === 'Interaction' ? sealInteraction(value, payload) : tokenRow(model, value, payload);
      if (model === 'ReplayDetection') {
        // Find-then-save cannot stop two at once; inserting can (security.md C7, D8).
        const first = await deps.engine.insertOnce(row, nowSeconds());
        if (!first) throw new errors.InvalidClientAuth('the assertion has been used before');
        return;
      }
      const unit = currentUnit();
      if (!unit) {
        await deps.engine.commit({ tokens: [row] });
        return;
      }
      unit.tokens.set(row.key, row);
      unit.values.set(row.key, value);
      unit.reads.tokens.delete(row.key);
    },
    async consume(value) {
      await use(deps, model, value);
    },
    async destroy(value) {
      // A finished interaction is used up with everything its request writes, so that it cannot be finished twice (B4).
      if (model === 'Interaction' && Provider.ctx?.oidc?.route === 'resume') await use(deps, model, value);
      else await deps.engine.deleteToken(digest(value));
    },
    async revokeByGrantId(grantId) {
      await revokeGrant(deps, grantId);
    },
  });
}

async function readToken(deps: AdapterDeps, key: string): Promise<TokenBundle | undefined> {
  const unit = currentUnit();
  let reading = unit?.reads.tokens.get(key);
  if (!reading) {
    // Introspection and revocation look for three kinds at once: the row says its kind, so one read answers all of them.
    reading = deps.engine.readToken(key);
    unit?.reads.tokens.set(key, reading);
  }
  const bundle = await reading;
  if (bundle && unit) {
    const { token, grant, account, session } = bundle;
    if (token.grantId) unit.reads.grants.set(token.grantId, grant);
    if (token.subject) unit.reads.accounts.set(token.subject, account);
    if (token.sessionUid) unit.reads.sessionsByUid.set(token.sessionUid, session);
  }
  return bundle;
}

/** A token ends with its client, its grant and its account, at every door. */
async function stillGood(deps: AdapterDeps, { token, grant, account }: TokenBundle): Promise<boolean> {
  if (token.clientId) {
    const client = await deps.clients.find(token.clientId);
    if (!client || client.disabledAt !== null) return false;
  }
  if (token.grantId && !grant) return false;
  return !token.subject || account?.disabledAt === null;
}

function applyConsumption(
  deps: AdapterDeps,
  model: string,
  bundle: TokenBundle,
  value: string,
  payload: AdapterPayload,
): void {
  const unit = currentUnit();
  if (unit && model === 'RefreshToken' && Provider.ctx?.oidc?.route === 'token') {
    const successor = successorOf(bundle.token, value, deps.settings.reuseWindow);
    if (successor !== undefined) {
      unit.successor = successor;
      return;
    }
  }
  payload.consumed = bundle.token.consumedAt ?? true;
  // A code that is used again after its minute is over must still end what it was redeemed for (RFC 6749, section 4.1.2).
  if (model === 'AuthorizationCode') payload.exp = Math.max(payload.exp ?? 0, nowSeconds() + 60);
}

async function use(deps: AdapterDeps, model: string, value: string): Promise<void> {
  const unit = currentUnit();
  if (!unit) throw new Error('a single-use record can only be used up by a request');
  if (unit.consume) throw new Error('a request can use up only one single-use record');
  const bundle = await readToken(deps, digest(value));
  unit.consume = { key: digest(value), at: nowSeconds(), kind: model, value, grantId: bundle?.token.grantId ?? null };
}

function tokenRow(kind: string, value: string, payload: AdapterPayload): TokenRow {
  const { jti: _value, ...rest } = payload;
  return {
    key: digest(value),
    kind,
    payload: JSON.stringify(rest),
    grantId: payload.grantId ?? null,
    clientId: payload.clientId ?? null,
    subject: payload.accountId ?? null,
    sessionUid: payload.expiresWithSession ? (payload.sessionUid ?? null) : null,
    expiresAt: payload.exp ?? null,
  };
}

function sealInteraction(value: string, payload: AdapterPayload): TokenRow {
  const { jti: _value, ...rest } = payload;
  // The session cookie's value rides along in the engine's payload and is never read back.
  const session = payload.session ? { ...payload.session, cookie: undefined } : undefined;
  const text = seal(deriveKey(value, 'interaction'), JSON.stringify({ ...rest, session }), 'interaction');
  return {
    key: digest(value),
    kind: 'Interaction',
    payload: JSON.stringify({ sealed: text }),
    grantId: null,
    clientId: null,
    subject: null,
    sessionUid: null,
    expiresAt: payload.exp ?? null,
  };
}

/** Finished ones too: whether it may still be used is for the caller to ask. */
export function openInteraction({ token }: TokenBundle, value: string): AdapterPayload | undefined {
  const { sealed } = JSON.parse(token.payload);
  const text = unseal(deriveKey(value, 'interaction'), sealed, 'interaction');
  return text === undefined ? undefined : { ...JSON.parse(text), jti: value };
}

// ---- the shape the engine wants ------------------------------------------------------------------------------------

type Calls = Partial<Omit<Adapter, 'findByUserCode'>>;

/** Fills in what a model never calls, and words a database that is down for the engine. */
function adapterOf(model: string, calls: Calls): Adapter {
  const guard =
    <A extends unknown[], R>(call: ((...args: A) => Promise<R>) | undefined, name: string) =>
    (...args: A): Promise<R> => {
      if (!call) throw new Error(`the engine does not ${name} a ${model} here`);
      return orUnavailable(() => call(...args));
    };
  return {
    find: guard(calls.find, 'find'),
    findByUid: guard(calls.findByUid, 'find by uid'),
    findByUserCode: guard(undefined, 'find by user code'),
    upsert: guard(calls.upsert, 'save'),
    consume: guard(calls.consume, 'consume'),
    destroy: guard(calls.destroy, 'destroy'),
    revokeByGrantId: guard(calls.revokeByGrantId, 'revoke'),
  };
}
