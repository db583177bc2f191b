/**
 * Exports the person's data as one JSON file, without credentials: no password hash, no factor secret, no token.
 * The audit trail can be long, so the file is streamed.
 */
import { Readable } from 'node:stream';
import { nowSeconds } from '../../base/clock.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountLocals } from './visit.ts';
import { type Show, showPage } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-data': AccountLocals;
  }
}

const pageSize = 500;

export function createDataPage(deps: AccountDeps): { show: Show; download: Show } {
  const time = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString());

  async function* file(subject: string): AsyncGenerator<string> {
    const account = await deps.accounts.findBySubject(subject);
    if (!account) return;
    const { passwordHash, usernameKey: _username, emailKey: _email, ...about } = account;
    const [{ factors, ...recoveryCodes }, passkeys, identities, browsers, connections, groups] = await Promise.all([
      deps.factors.list(subject),
      deps.passkeys.list(subject),
      deps.upstream.linked(subject),
      deps.stores.knownBrowsers.ofAccount(subject, nowSeconds()),
      deps.connections.list(subject),
      deps.stores.groups.namesOf(subject),
    ]);
    const whole = {
      issuer: deps.issuer,
      account: {
        ...about,
        hasPassword: passwordHash !== null,
        createdAt: time(about.createdAt),
        updatedAt: time(about.updatedAt),
        lastSeenAt: time(about.lastSeenAt),
      },
      groups,
      factors: dated(factors),
      ...recoveryCodes,
      passkeys: dated(passkeys),
      identities: dated(identities.map(({ subject: _subject, ...identity }) => identity)),
      // Without the browser's key, which gives it a separate throttle counter at sign-in.
      browsers: browsers.map(({ shown, createdAt, lastUsedAt, expiresAt }) => ({
        remembered: shown,
        ...datedOne({ createdAt, lastUsedAt, expiresAt }),
      })),
      connectedApplications: connections.map(({ since, lastUsedAt, ...rest }) => ({
        ...rest,
        since: time(since),
        lastUsedAt: time(lastUsedAt),
      })),
    };
    yield `${JSON.stringify(whole, null, 2).slice(0, -2)},\n`;
    yield* list('sessions', sessionsOf(subject));
    yield ',\n';
    yield* list('ownApplications', applicationsOf(subject));
    yield ',\n';
    yield* list('activity', activityOf(subject));
    yield '\n}\n';
  }

  async function* sessionsOf(subject: string) {
    for (let before: Awaited<ReturnType<typeof deps.sessions.list>>[number] | undefined; ; ) {
      const page = await deps.sessions.list(subject, { limit: pageSize, ...(before && { before }) });
      for (const { uid: _uid, origin, ...times } of page) yield { ...origin, ...datedOne(times) };
      before = page.at(-1);
      if (page.length < pageSize) return;
    }
  }

  async function* applicationsOf(subject: string) {
    for (let after = ''; ; ) {
      const page = await deps.stores.clients.listOwned(subject, after, pageSize);
      for (const { id, metadata, createdAt } of page) yield { client_id: id, createdAt: time(createdAt), metadata };
      after = page.at(-1)?.id ?? '';
      if (page.length < pageSize) return;
    }
  }

  async function* activityOf(subject: string) {
    for (let before: number | undefined; ; ) {
      const filter = { subject, ...(before !== undefined && { before }) };
      const page = await deps.stores.audit.list(filter, pageSize);
      for (const { id: _id, atMs, subject: _subject, ...event } of page) {
        yield { at: new Date(atMs).toISOString(), ...event };
      }
      before = page.at(-1)?.id;
      if (page.length < pageSize) return;
    }
  }

  const datedOne = (times: Readonly<Record<string, number | null>>) =>
    Object.fromEntries(Object.entries(times).map(([name, at]) => [name, time(at)]));

  function dated<T extends { readonly id: string; readonly createdAt: number; readonly lastUsedAt: number | null }>(
    rows: readonly T[],
  ) {
    return rows.map(({ id: _id, createdAt, lastUsedAt, ...rest }) => ({
      ...rest,
      createdAt: time(createdAt),
      lastUsedAt: time(lastUsedAt),
    }));
  }

  return {
    show: async (visit) => showPage(deps, visit, 'account-data', {}),

    async download({ ctx, account }) {
      ctx.set('Cache-Control', 'no-store');
      ctx.set('X-Content-Type-Options', 'nosniff');
      ctx.attachment('account.json');
      ctx.type = 'application/json; charset=utf-8';
      // Reads the first part here, so that an unavailable database gives an error status and not a truncated file.
      const chunks = file(account.subject);
      const first = await chunks.next();
      ctx.body = Readable.from(goingOn(first.value ?? '', chunks));
      return undefined;
    },
  };
}

async function* goingOn(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

async function* list(name: string, rows: AsyncIterable<object>): AsyncGenerator<string> {
  yield `  ${JSON.stringify(name)}: [`;
  let first = true;
  for await (const row of rows) {
    yield `${first ? '' : ','}\n    ${JSON.stringify(row)}`;
    first = false;
  }
  yield first ? ']' : '\n  ]';
}
