/** Pages that the engine shows itself: error, sign-out, signed out. */
import type { Context } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { firstDifference } from '../../base/first-difference.ts';
import { displayName } from '../../core/kernel/names.ts';
import { formTargetsFor, hardenPage } from '../../http/hardening.ts';
import type { DevicePages, ProtocolPages } from '../../oidc/ports.ts';
import type { RecordedRefusal } from '../../oidc/refusals/recorded.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { ErrorKind, RefusalDetail, UnreviewedReason } from '../kit/page.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    logout: {
      /** The engine's own form, as raw HTML. */
      readonly formHtml: string;
      readonly formId: string;
      readonly client?: { readonly name: string } | undefined;
      readonly account?: { readonly name: string } | undefined;
      /** The request has proved itself: the script submits the form at once. */
      readonly auto: boolean;
    };
    'signed-out': {
      /** The person chose to stay signed in. */
      readonly stayed?: boolean | undefined;
      readonly client?: { readonly name: string; readonly uri?: string | undefined } | undefined;
    };
  }
}

export function createEnginePages(
  deps: Pick<PageDeps, 'pages' | 'stores' | 'secure' | 'isDeveloper'> & { readonly device: DevicePages },
): ProtocolPages {
  // The engine's context extends the Koa context.
  const plain = (ctx: KoaContextWithOIDC) => ctx as unknown as Context;

  const told = (ctx: KoaContextWithOIDC, refusal: RecordedRefusal) => ({
    reference: refusal.reference,
    ...(deps.isDeveloper(ctx.req) && { detail: detailOf(refusal) }),
  });

  return {
    device: deps.device,

    error(ctx, out, error, refusal) {
      const status = ctx.status;
      if (error instanceof errors.SessionNotFound) {
        deps.pages.show(plain(ctx), 'stale', { clientName: nameOf(ctx) }, { status: 400 });
        return;
      }
      deps.pages.refuse(plain(ctx), status, kindOf(status, out.error), {
        clientName: nameOf(ctx),
        code: out.error,
        description: out.error_description,
        ...(refusal && told(ctx, refusal)),
        ...(status === 503 ? { retryAfterSeconds: 1 } : {}),
      });
    },

    unreviewed(ctx, failure, refusal) {
      const { error = 'server_error', error_description: description } = failure as {
        readonly error?: string;
        readonly error_description?: string;
      };
      deps.pages.refuse(plain(ctx), 400, 'unreviewed', {
        clientName: nameOf(ctx),
        why: whyHere(error),
        code: error,
        description,
        ...told(ctx, refusal),
      });
    },

    async logout(ctx, formHtml) {
      const { session, client, params, entities } = ctx.oidc;
      const account = session?.accountId ? await deps.stores.accounts.bySubject(session.accountId) : undefined;
      const formTargets = formTargetsFor(String(session?.state?.postLogoutRedirectUri ?? ''));
      deps.pages.show(
        plain(ctx),
        'logout',
        {
          formHtml,
          formId: 'op.logoutForm',
          client: client && { name: client.clientName ?? client.clientId },
          account: account && { name: displayName(account) },
          auto: provesItself(entities.IdTokenHint?.payload, session?.accountId),
        },
        {
          formTargets,
          uiLocales: params?.ui_locales as string | undefined,
          accountLocale: account?.locale,
        },
      );
    },

    async signedOut(ctx) {
      const { client, cookies, provider } = ctx.oidc;
      // The engine also comes here after "stay signed in".
      const id = cookies.get(provider.cookieName('session'), { signed: true });
      const session = id === undefined ? undefined : await provider.Session.find(id);
      deps.pages.show(plain(ctx), 'signed-out', {
        stayed: session?.accountId !== undefined,
        client: client && { name: client.clientName ?? client.clientId, uri: client.clientUri },
      });
      // This page keeps their language; the pages after it do not.
      if (session?.accountId === undefined) deps.pages.noteReader(plain(ctx), null);
    },

    stale(ctx) {
      ctx.remove('Location');
      hardenPage(ctx.res, deps.secure);
      if (ctx.oidc?.route === 'device_resume') deps.device.enter(ctx, undefined, undefined, { kind: 'stale' });
      else deps.pages.show(plain(ctx), 'stale', { clientName: nameOf(ctx) }, { status: 400 });
    },
  };
}

/** True for an unexpired ID token of the signed-in person: the client may sign them out without a question. */
function provesItself(hint: unknown, subject: string | undefined): boolean {
  const { sub, exp } = (hint ?? {}) as { sub?: unknown; exp?: unknown };
  return subject !== undefined && sub === subject && typeof exp === 'number' && exp * 1000 > Date.now();
}

const nameOf = (ctx: KoaContextWithOIDC) => ctx.oidc?.client?.clientName ?? ctx.oidc?.client?.clientId;

/** The reason that the page shows. */
function whyHere(error: string): UnreviewedReason {
  if (error === 'access_denied') return 'cancelled';
  const silent = ['login_required', 'consent_required', 'interaction_required', 'account_selection_required'];
  return silent.includes(error) ? 'silent' : 'request';
}

function kindOf(status: number, error: string): ErrorKind {
  if (status === 503) return 'unavailable';
  if (status >= 500) return 'internal';
  if (error === 'invalid_redirect_uri') return 'redirect';
  return error === 'invalid_client' ? 'unknown-client' : 'request';
}

/** The check, the received value and the nearest accepted value. */
function detailOf({ says, source, received, expected, nearest, advice }: RecordedRefusal): RefusalDetail {
  const passes = nearest ?? expected;
  return {
    check: `${says} (${source})`,
    received,
    ...(received !== undefined && nearest !== undefined && { receivedMarkFrom: firstDifference(received, nearest) }),
    expected: passes,
    advice,
  };
}
