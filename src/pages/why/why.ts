/**
 * `/why/{reference}`: why a request was refused. Everyone sees the check and its source; operators and the owner of the
 * application, signed in, also see what was expected and received. Programs get the same as JSON.
 */
import type { Context } from 'koa';
import { firstDifference } from '../../base/first-difference.ts';
import { type CheckName, checks } from '../../core/refusals/checks.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { RefusalRow } from '../../core/stores/refusals.ts';
import { wantsPage } from '../../http/errors.ts';
import { hardenAnswer } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { PageDeps } from '../kit/deps.ts';

/** For operators and the owner of the application. */
interface WhyDetails {
  readonly check: string;
  readonly endpoint: string;
  readonly status: number;
  readonly error: string;
  /** Seconds since the epoch: the first and the last time. */
  readonly at: number;
  readonly last: number;
  readonly times: number;
  readonly clientId?: string | undefined;
  readonly expected?: string | undefined;
  readonly received?: string | undefined;
  readonly nearest?: string | undefined;
}

declare module '../kit/views.ts' {
  interface ViewLocals {
    why: {
      readonly reference: string;
      /** Undefined if there is no record under this reference. */
      readonly says?: string | undefined;
      readonly source?: string | undefined;
      readonly advice?: string | undefined;
      readonly details?: WhyDetails | undefined;
      /** Where `details.received` begins to differ from what would have passed. The page marks the rest. */
      readonly receivedMarkFrom?: number | undefined;
    };
  }
}

/** The form of references; other values are not looked up. */
const possible = /^[0-9a-zA-Z-]{4,40}$/;

export function createWhy(deps: PageDeps): readonly Route[] {
  const show = async (ctx: Context) => {
    const reference = String(ctx.params.reference);
    const found = possible.test(reference) ? await deps.refusals.find(reference) : undefined;
    const reader = await deps.signedIn(ctx);
    const full = found !== undefined && (deps.isDeveloper(ctx.req) || (await mayReadAll(found, reader)));
    const check = found && checkOf(found);
    const locals = {
      reference,
      ...(check && { says: check.says, source: check.source, advice: full ? found.advice : check.advice }),
      ...(full && { details: detailsOf(found) }),
    };
    ctx.vary('Accept');
    if (wantsPage(ctx)) {
      const shown = { ...locals, receivedMarkFrom: full ? markFrom(found) : undefined };
      deps.pages.show(ctx, 'why', shown, { status: found ? 200 : 404, accountLocale: reader?.locale });
      return;
    }
    hardenAnswer(ctx.res, deps.issuer.startsWith('https:'));
    ctx.set('Cache-Control', 'no-store');
    ctx.status = found ? 200 : 404;
    ctx.body = found ? locals : { error: 'not_found', error_description: 'there is no record under this reference' };
  };

  async function mayReadAll({ clientId }: RefusalRow, reader: Account | undefined): Promise<boolean> {
    if (reader === undefined) return false;
    if (reader.admin) return true;
    const client = clientId === null ? undefined : await deps.cached.find(clientId);
    return client !== undefined && client.owner === reader.subject;
  }

  return pageRoutes('pages/why', [{ path: '/why/:reference', access: 'public', GET: show }]);
}

/** A later version may have recorded a check that this version does not know. */
function checkOf({ check }: RefusalRow) {
  return checks[check as CheckName] ?? checks.other;
}

function markFrom({ received, nearest }: RefusalRow): number | undefined {
  return received === null || nearest === null ? undefined : firstDifference(received, nearest);
}

function detailsOf(row: RefusalRow): WhyDetails {
  const { endpoint, clientId, check, status, error, expected, received, nearest, times } = row;
  return {
    at: Math.floor(row.atMs / 1000),
    last: Math.floor(row.lastMs / 1000),
    times,
    endpoint,
    check,
    status,
    error,
    clientId: clientId ?? undefined,
    expected: expected ?? undefined,
    received: received ?? undefined,
    nearest: nearest ?? undefined,
  };
}
