/**
 * Sessions, whatever door they came through: a browser's, which the engine writes, and those of the API surfaces, which
 * begin here. All are rows of one table, so that one list shows them and one call ends them.
 *
 * Looking one up costs nothing while this process has a copy that the change log vouches for (core/changes/change-log),
 * and one read otherwise. Copies are kept per person, so that the end of a person's sessions drops all of them at once.
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

/** A session that holds at this moment. */
interface LiveSession {
  readonly uid: string;
  readonly origin: SessionOrigin;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Undefined for a program's own session. */
  readonly account: Account | undefined;
}

interface NewSession {
  /** Left out: a random one. */
  readonly uid?: string;
  /** The API surface. */
  readonly door: string;
  /** The person, or the client whose own session it is. */
  readonly holder: { readonly account: Account } | { readonly clientId: string };
  /** Seconds. */
  readonly lifetime: number;
  /** How the person proved it (RFC 8176). */
  readonly amr?: readonly string[];
  readonly caller: Caller;
  /** A refresh token of this session, written with it, all or nothing. */
  readonly token?: Pick<TokenRow, 'key' | 'kind'> | undefined;
}

interface SignedInSession extends NewSession {
  /** As the sign-in found it. */
  readonly holder: { readonly account: Account };
  /** Of the sign-in. */
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
  /** Seconds since the epoch, as are the others. */
  readonly createdAt: number;
  readonly lastSeenAt: number | null;
  readonly expiresAt: number;
}

export interface SessionEnd extends AuditFields {
  /** Left out: somebody ended it, their own or another's, by name. */
  readonly event?: 'sign_out' | 'session.ended' | 'session.replayed';
}

/** Throws `Unavailable` where storage cannot answer. */
export interface Sessions {
  begin(session: NewSession): Promise<BegunSession>;
  /**
   * With the record of the sign-in, in one commit. Undefined, and neither is there: the account has been disabled or deleted, or
   * its password changed, since the sign-in looked at it. Whoever did so has ended the sessions that there were.
   */
  beginSignedIn(session: SignedInSession): Promise<BegunSession | undefined>;
  /** `holder`: the subject, or the client's id. A browser's session is found as well. Undefined: ended, expired, or its person disabled or gone. `stored`: as storage has it at this moment, whatever is remembered. */
  find(uid: string, holder: string, options?: { readonly stored?: boolean }): Promise<LiveSession | undefined>;
  /** The session ends at every door, here at once and on every node within a second; false where there is none. */
  end(uid: string, why: SessionEnd): Promise<boolean>;
  /** Something more has been proved in it, in RFC 8176's words. Its time stays, and one that has ended stays so. */
  strengthen(uid: string, amr: readonly Amr[]): Promise<void>;
  /** All of a person's sessions, grants and tokens but `keepUid` and what hangs on it. */
  endAll(subject: string, keepUid?: string): Promise<void>;
  /** Live ones, the newest first, `limit` (at most 1000) of them or all there are. `before`: where an earlier page ended. */
  list(
    subject: string,
    options?: { limit?: number; before?: Pick<ListedSession, 'createdAt' | 'uid'> },
  ): Promise<ListedSession[]>;
  /**
   * The value by which the engine knows an API session, as it knows a browser's by its cookie's. Only this server can derive
   * it, and it is never handed out.
   */
  valueOf(uid: string): string;
}

/** People and programs whose sessions are remembered, and sessions of each. */
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
    // As the engine writes its own, so that an authorization request can be made within this session (oidc/).
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
    // Into the map that is there now: if the holder is dropped while this is read, the result is dropped with it.
    const into = copies;
    into.set(uid, reading);
    reading.then(
      (session) => {
        // What is not there may come yet, and must not fill the memory.
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
        // The copy may be older than a refresh, which moves the end and is no news to the change log.
        holders.get(holder)?.delete(uid);
        session = await copyOf(uid, holder);
      }
      if (session === undefined || session.expiresAt <= nowSeconds()) return undefined;
      return (session.account?.subject ?? session.origin.clientId) === holder ? session : undefined;
    },

    async end(uid, { event = 'session.ended', ...fields }) {
      const ended = await engine.deleteSession(uid);
      // Also where it was gone already: whoever ended it may not have told this process yet.
      await changes.changed();
      if (ended) await audit.record(event, fields);
      return ended;
    },

    async strengthen(uid, amr) {
      // Over the very payload that was read: of what other requests of this browser change meanwhile nothing is undone.
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
      // Expired ones lie among them until they are swept away, and a short page means that there are no more.
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

/** A token that lives as long as its session. */
export function sessionToken(
  { key, kind }: Pick<TokenRow, 'key' | 'kind'>,
  { uid, subject, expiresAt }: Pick<SessionPut, 'uid' | 'subject' | 'expiresAt'>,
): TokenRow {
  return { key, kind, payload: '{}', grantId: null, clientId: null, subject, sessionUid: uid, expiresAt };
}

/** What a stranger's program says of itself is kept to be read by a person, in a bounded length. */
export function originOf(door: string, caller: Caller, clientId: string | null = null): SessionOrigin {
  const userAgent = caller.userAgent?.slice(0, 256).toWellFormed().replaceAll('\0', '') || null;
  return { door, clientId, address: caller.address || null, userAgent };
}
