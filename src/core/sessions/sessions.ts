/**
 * Sessions of all entry points: those of browsers, which the engine writes, and those of the API surfaces, which begin
 * here. They share one table, so one list shows them and one call ends them.
 *
 * A lookup costs nothing if this process has a copy and the change log is recent (core/changes/change-log); otherwise
 * it costs one read. Copies are kept per account or client, so the end of an account's sessions drops them together.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import { deriveKey, digest } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Amr } from '../kernel/amr.ts';
import type { Audit, AuditFields, CarriedRecord } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { Account } from '../stores/accounts.ts';
import type { EngineStore, SessionOrigin, SessionPut, StoredSession, TokenRow, Unit } from '../stores/engine.ts';
import { isIdle } from './session-limits.ts';

/** A session that is valid now. */
interface LiveSession {
  readonly uid: string;
  readonly origin: SessionOrigin;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Undefined for a client's own session. */
  readonly account: Account | undefined;
}

interface NewSession {
  /** Random if left out. */
  readonly uid?: string;
  /** The API surface. */
  readonly door: string;
  /** The account, or the client whose own session this is. */
  readonly holder: { readonly account: Account } | { readonly clientId: string };
  /** Seconds. */
  readonly lifetime: number;
  /** How the user authenticated (RFC 8176). */
  readonly amr?: readonly string[];
  readonly caller: Caller;
  /** A refresh token of this session, written in the same commit. */
  readonly token?: Pick<TokenRow, 'key' | 'kind'> | undefined;
}

interface SignedInSession extends NewSession {
  /** As the sign-in read it. */
  readonly holder: { readonly account: Account };
  /** The audit record of the sign-in. */
  readonly record: CarriedRecord;
}

interface BegunSession {
  readonly uid: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface ListedSession {
  readonly uid: string;
  readonly origin: SessionOrigin;
  /** Seconds since the epoch, as the next two. */
  readonly createdAt: number;
  readonly lastSeenAt: number | null;
  readonly expiresAt: number;
}

export interface SessionEnd extends AuditFields {
  /** Default: `session.ended`. */
  readonly event?: 'sign_out' | 'session.ended' | 'session.replayed';
}

/** Throws `Unavailable` if storage cannot answer. */
export interface Sessions {
  begin(session: NewSession): Promise<BegunSession>;
  /**
   * Writes the session and the sign-in record in one commit. Returns undefined and writes neither if the account was
   * disabled or deleted, or its password changed, after the sign-in read it.
   */
  beginSignedIn(session: SignedInSession): Promise<BegunSession | undefined>;
  /**
   * Finds sessions of browsers too. `holder`: the subject or the client's id. Returns undefined if the session has
   * ended or its account is disabled or deleted. `stored`: reads storage instead of the copy.
   */
  find(uid: string, holder: string, options?: { readonly stored?: boolean }): Promise<LiveSession | undefined>;
  /** Ends the session here at once and on every node within a second. Returns false if there is none. */
  end(uid: string, why: SessionEnd): Promise<boolean>;
  /** Adds `amr` values after step-up. The session keeps its times; an ended one stays ended. */
  strengthen(uid: string, amr: readonly Amr[]): Promise<void>;
  /** Ends all sessions, grants and tokens of the account, except `keepUid` and what belongs to it. */
  endAll(subject: string, keepUid?: string): Promise<void>;
  /** Live sessions, newest first, at most `limit` (up to 1000). `before`: the last one of the previous page. */
  list(
    subject: string,
    options?: { limit?: number; before?: Pick<ListedSession, 'createdAt' | 'uid'> },
  ): Promise<ListedSession[]>;
  /**
   * The value by which the engine finds an API session, like the cookie value of a browser's. Only this server can
   * derive it; it must not leave the server.
   */
  valueOf(uid: string): string;
}

/** How many accounts and clients have copies here, and how many sessions each. */
const holdersMax = 10_000;
const sessionsMax = 100;

type Copies = Map<string, Promise<LiveSession | undefined>>;

export function createSessions(deps: {
  stores: {
    readonly engine: Pick<EngineStore, 'commit' | 'readSessionByUid' | 'deleteSession' | 'endAll' | 'listSessions'>;
  };
  changes: ChangeLog;
  audit: Audit;
  secrets: { readonly secretKey: string };
  /** Seconds after which a browser's session that is not used has ended; 0: never. */
  config: { readonly lifetimes: { readonly sessionIdle: number } };
}): Sessions {
  const { changes, audit } = deps;
  const { engine } = deps.stores;
  const idle = deps.config.lifetimes.sessionIdle;
  const valueKey = deriveKey(deps.secrets.secretKey, 'api-session');
  const holders = createLru<Copies>(holdersMax);

  changes.follow({
    kinds: ['account', 'client', 'session'],
    take(news) {
      if (news === undefined) holders.clear();
      for (const { kind, id } of news ?? []) {
        const [uid = '', holder = ''] = id.split(' ');
        if (kind === 'session') holders.get(holder)?.delete(uid);
        else holders.delete(id);
      }
    },
  });

  function engineValue(uid: string): string {
    return createHmac('sha256', valueKey).update(uid).digest('base64url');
  }

  function made(session: NewSession): { begun: BegunSession; unit: Unit } {
    const { uid = randomBytes(16).toString('hex'), door, holder, lifetime, amr, caller, token } = session;
    const now = nowSeconds();
    const expiresAt = now + lifetime;
    const account = 'account' in holder ? holder.account : undefined;
    // The engine's own format, so that an authorization request can use this session (oidc/).
    const payload = {
      kind: 'Session',
      uid,
      iat: now,
      ...(account && { accountId: account.subject, loginTs: now, amr }),
    };
    const row: SessionPut = {
      key: digest(engineValue(uid)),
      uid,
      subject: account?.subject ?? null,
      payload: JSON.stringify(payload),
      grants: {},
      sids: {},
      expiresAt,
      origin: originOf(door, caller, 'clientId' in holder ? holder.clientId : null),
      before: null,
    };
    const tokens = token === undefined ? [] : [sessionToken(token, row)];
    return { begun: { uid, expiresAt }, unit: { sessions: [row], tokens } };
  }

  async function read(uid: string): Promise<LiveSession | undefined> {
    const bundle = await engine.readSessionByUid(uid);
    if (bundle === undefined) return undefined;
    const { origin, expiresAt, subject } = bundle.session;
    if (subject !== null && bundle.account?.disabledAt !== null) return undefined;
    return { uid, origin, expiresAt, account: bundle.account };
  }

  function copyOf(uid: string, holder: string): Promise<LiveSession | undefined> {
    let copies = holders.get(holder);
    if (copies === undefined || copies.size >= sessionsMax) {
      copies = new Map();
      holders.set(holder, copies);
    }
    const known = copies.get(uid);
    if (known !== undefined) return known;
    const reading = read(uid);
    // Keep this map: if the holder is dropped during the read, the result is dropped with it.
    const into = copies;
    into.set(uid, reading);
    reading.then(
      (session) => {
        // A missing session may begin later, and must not fill the memory.
        if (session === undefined) into.delete(uid);
      },
      () => into.delete(uid),
    );
    return reading;
  }

  return {
    valueOf: engineValue,

    async begin(session) {
      const { begun, unit } = made(session);
      await engine.commit(unit);
      return begun;
    },

    async beginSignedIn({ record, ...session }) {
      const { begun, unit } = made(session);
      const { subject, passwordHash } = session.holder.account;
      const committed = await engine.commit({ ...unit, account: { subject, passwordHash }, audit: [record.event] });
      if (committed.outcome === 'spent') return undefined;
      record.written();
      return begun;
    },

    async find(uid, holder, { stored = false } = {}) {
      const look = changes.recent();
      if (look !== undefined) await look;
      if (stored) holders.get(holder)?.delete(uid);
      let session = await copyOf(uid, holder);
      if (session !== undefined && session.expiresAt <= nowSeconds()) {
        // The copy may be older than a refresh, which moves the expiry without a note in the change log.
        holders.get(holder)?.delete(uid);
        session = await copyOf(uid, holder);
      }
      if (session === undefined || session.expiresAt <= nowSeconds()) return undefined;
      return (session.account?.subject ?? session.origin.clientId) === holder ? session : undefined;
    },

    async end(uid, { event = 'session.ended', ...fields }) {
      const ended = await engine.deleteSession(uid);
      // Even if it was gone: this process may not have seen that change yet.
      await changes.changed();
      if (ended) await audit.record(event, fields);
      return ended;
    },

    async strengthen(uid, amr) {
      // Writes only over the payload that was read, so that concurrent changes of this session stay.
      for (let tries = 0; tries < 20; tries += 1) {
        const stored = (await engine.readSessionByUid(uid))?.session;
        if (stored === undefined) return;
        const payload = JSON.parse(stored.payload) as { amr?: readonly string[] };
        const all = [...new Set([...(payload.amr ?? []), ...amr])];
        const { createdAt: _made, lastSeenAt: _seen, ...row } = stored;
        const put = { ...row, payload: JSON.stringify({ ...payload, amr: all }), before: stored.payload };
        const outcome = await engine.commit({ sessions: [put] });
        if (outcome.outcome === 'spent' || !outcome.overtaken) return;
      }
    },

    async endAll(subject, keepUid) {
      await engine.endAll(subject, keepUid);
      await changes.changed();
    },

    async list(subject, { limit = 100, before } = {}) {
      const now = nowSeconds();
      const live: StoredSession[] = [];
      // Expired sessions remain in the table until they are purged, so one page may hold too few live ones.
      for (let from: { createdAt: number; uid: string } | undefined = before; ; ) {
        const page: StoredSession[] = await engine.listSessions(subject, limit, from);
        live.push(...page.filter((session) => session.expiresAt > now && !isIdle(session, idle)));
        if (page.length < limit || live.length >= limit) return live.slice(0, limit).map(listed);
        from = page.at(-1);
      }
    },
  };
}

function listed({ uid, origin, createdAt, lastSeenAt, expiresAt }: StoredSession): ListedSession {
  return { uid, origin, createdAt, lastSeenAt, expiresAt };
}

/** A token with the lifetime of its session. */
export function sessionToken(
  { key, kind }: Pick<TokenRow, 'key' | 'kind'>,
  { uid, subject, expiresAt }: Pick<SessionPut, 'uid' | 'subject' | 'expiresAt'>,
): TokenRow {
  return { key, kind, payload: '{}', grantId: null, clientId: null, subject, sessionUid: uid, expiresAt };
}

/** Where the session came from, for display. The user agent is untrusted and cut to 256 characters. */
export function originOf(door: string, caller: Caller, clientId: string | null = null): SessionOrigin {
  const userAgent = caller.userAgent?.slice(0, 256).toWellFormed().replaceAll('\0', '') || null;
  return { door, clientId, address: caller.address || null, userAgent };
}
