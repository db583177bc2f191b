/** The pages the engine asks for in the middle of its own answers: refused, sign out, signed out. */
import type { Context } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../base/log.ts';
import { displayName } from '../core/names.ts';
import type { AccountStore } from '../core/stores/accounts.ts';
import type { IsDeveloper } from '../http/developer.ts';
import { factsOf } from '../http/front-door.ts';
import { formTargetsFor, hardenPage } from '../http/hardening.ts';
import type { Pages } from '../http/page.ts';
import type { ErrorKind, RefusalDetail, UnreviewedReason } from '../http/sign-in-views.ts';
import type { ProtocolPages } from '../oidc/ports.ts';

export function createEnginePages(deps: {
  pages: Pages;
  accounts: AccountStore;
  log: Logger;
  secure: boolean;
  /** Is shown what was expected and received. For everyone else that is in the log alone, under the reference. */
  isDeveloper: IsDeveloper;
}): ProtocolPages {
  // The engine's context is a Koa context with more on it.
  const plain = (ctx: KoaContextWithOIDC) => ctx as unknown as Context;

  return {
    error(ctx, out, error) {
      const { id: reference } = factsOf(ctx.req);
      const status = ctx.status;
      const detail = status < 500 ? detailOf(ctx, error) : undefined;
      deps.log.info(
        {
          requestId: reference,
          clientId: clientIdOf(ctx),
          error: out.error,
          description: out.error_description,
          detail,
        },
        'an authorization request was refused',
      );
      if (error instanceof errors.SessionNotFound) {
        deps.pages.show(plain(ctx), 'stale', { clientName: nameOf(ctx) }, { status: 400 });
        return;
      }
      if (status === 503) ctx.set('Retry-After', '1');
      deps.pages.refuse(plain(ctx), status, kindOf(status, out.error), {
        clientName: nameOf(ctx),
        code: out.error,
        description: out.error_description,
        ...(detail && deps.isDeveloper(ctx.req) ? { detail } : {}),
        ...(status === 503 ? { retryAfterSeconds: 1 } : {}),
      });
    },

    unreviewed(ctx, failure) {
      const { id: reference } = factsOf(ctx.req);
      const { error = 'server_error', error_description: description } = failure as {
        readonly error?: string;
        readonly error_description?: string;
      };
      deps.log.info(
        { requestId: reference, clientId: clientIdOf(ctx), error, description },
        'an authorization request of an unreviewed client was refused',
      );
      deps.pages.refuse(plain(ctx), 400, 'unreviewed', {
        clientName: nameOf(ctx),
        why: whyHere(error),
        code: error,
        description,
      });
    },

    async logout(ctx, formHtml) {
      const { session, client, params, entities } = ctx.oidc;
      const account = session?.accountId ? await deps.accounts.bySubject(session.accountId) : undefined;
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
      // The engine comes here after "stay signed in" as well.
      const id = cookies.get(provider.cookieName('session'), { signed: true });
      const session = id === undefined ? undefined : await provider.Session.find(id);
      deps.pages.show(plain(ctx), 'signed-out', {
        stayed: session?.accountId !== undefined,
        client: client && { name: client.clientName ?? client.clientId, uri: client.clientUri },
      });
      // The page is still in their language; the next person's is not.
      if (session?.accountId === undefined) deps.pages.noteReader(plain(ctx), null);
    },

    stale(ctx) {
      ctx.remove('Location');
      hardenPage(ctx.res, deps.secure);
      deps.pages.show(plain(ctx), 'stale', { clientName: nameOf(ctx) }, { status: 400 });
    },
  };
}

/** An unexpired ID token of the very person who is signed in here: the application may sign them out without another question. */
function provesItself(hint: unknown, subject: string | undefined): boolean {
  const { sub, exp } = (hint ?? {}) as { sub?: unknown; exp?: unknown };
  return subject !== undefined && sub === subject && typeof exp === 'number' && exp * 1000 > Date.now();
}

const nameOf = (ctx: KoaContextWithOIDC) => ctx.oidc?.client?.clientName ?? ctx.oidc?.client?.clientId;
const clientIdOf = (ctx: KoaContextWithOIDC) => ctx.oidc?.client?.clientId;

/** What went wrong, as the person sees it. */
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

/** "Why was I refused?": the check, what came, and the nearest thing that would have passed. */
function detailOf(ctx: KoaContextWithOIDC, error: Error): RefusalDetail | undefined {
  const received = ctx.oidc?.params?.redirect_uri ?? ctx.query.redirect_uri;
  if (error instanceof errors.InvalidRedirectUri) {
    const text = typeof received === 'string' ? received : '';
    const registered = ctx.oidc.client?.redirectUris ?? [];
    const expected = nearest(text, registered);
    return {
      check: 'redirect_uri is registered for this client',
      received: text,
      ...(expected === undefined ? {} : { expected, receivedMarkFrom: firstDifference(text, expected) }),
      advice: adviceFor(text, expected),
    };
  }
  if (error instanceof errors.InvalidClient) {
    const id = ctx.oidc?.params?.client_id ?? ctx.query.client_id;
    return {
      check: 'client_id is registered here and in use',
      received: typeof id === 'string' ? id : '',
      advice: 'Correct the client_id, or register the application on this server.',
    };
  }
  const { error_description: description, error_detail: detail } = error as {
    error_description?: string;
    error_detail?: string;
  };
  return description === undefined
    ? undefined
    : { check: detail === undefined ? description : `${description}: ${detail}` };
}

function nearest(text: string, candidates: readonly string[]): string | undefined {
  return [...candidates].sort((a, b) => firstDifference(text, b) - firstDifference(text, a))[0];
}

function firstDifference(a: string, b: string): number {
  let index = 0;
  while (index < a.length && a[index] === b[index]) index += 1;
  return index;
}

function adviceFor(received: string, expected: string | undefined): string {
  if (received === '') return 'Send the redirect_uri parameter: this client has several, so none can be assumed.';
  if (expected === undefined) return 'Register a redirect URI for this client.';
  if (received === `${expected}/`) return 'Remove the trailing slash, or register this address too.';
  if (`${received}/` === expected) return 'Add the trailing slash, or register this address too.';
  return 'Send exactly a registered address, character by character, or register this one too.';
}
