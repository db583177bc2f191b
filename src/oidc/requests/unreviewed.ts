/**
 * Unreviewed clients. Anyone can register one, so its requests must not make this server an open redirector (RFC 9700,
 * section 4.11.2). Users are redirected to it only after they have signed in and agreed to the client. Until then,
 * every error and the end of a logout is a page of this server.
 *
 *   engine: an error on its way to the redirect URI -> [keepErrorsHere] -> a page, or the redirect after all
 *
 * Requests on behalf of a user (oidc/requests/on-behalf) are exempt, because no browser follows their redirects.
 */
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import type { ConsentStore } from '../../core/stores/consents.ts';
import { routes } from '../configuration.ts';
import type { ProtocolPages } from '../ports.ts';
import type { Recorder } from '../refusals/record.ts';
import { onBehalfOf } from './on-behalf.ts';

const isUnreviewed = (client: Client | undefined): client is Client => client !== undefined && client.reviewed !== true;

type Agreed = (subject: string | undefined, client: Client) => Promise<boolean>;

/** Whether the signed-in user has agreed to the client as it is now. Without a database, nothing is redirected. */
export function createAgreed(consents: Pick<ConsentStore, 'find'>): Agreed {
  return async (subject, client) => {
    if (subject === undefined) return false;
    try {
      const consent = await consents.find(subject, client.clientId);
      return consent !== undefined && (consent.snapshot ?? null) === (client.document_snapshot ?? null);
    } catch (error) {
      if (error instanceof Unavailable) return false;
      throw error;
    }
  };
}

export function createKeepHere(agreed: Agreed, shown: ProtocolPages, record: Recorder['record']) {
  /** Errors that the engine has not shown as a page itself. */
  const errors = new WeakMap<object, Error>();

  const pages: ProtocolPages = {
    ...shown,
    error(ctx, out, error, refusal) {
      errors.delete(ctx);
      shown.error(ctx, out, error, refusal);
    },
    async logout(ctx, form) {
      const { client, session, entities } = ctx.oidc;
      if (isUnreviewed(client) && session?.state) {
        const { accountId: subject } = session;
        const proven = !client.document_snapshot && isTheirs(entities.IdTokenHint?.payload, subject);
        const allowed = proven || (await agreed(subject, client));
        // The engine redirects to the URI stored in its state; without that URI, the browser stays here.
        Object.assign(session.state, allowed ? { mayLeave: true } : { postLogoutRedirectUri: undefined });
      }
      await shown.logout(ctx, form);
    },
  };

  return {
    pages,

    watch(provider: Provider): void {
      provider.on('authorization.error', (ctx, error) => errors.set(ctx, error));
      provider.on('server_error', (ctx, error) => errors.set(ctx, error));
    },

    async keepErrorsHere(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
      await next();
      if (onBehalfOf(ctx)) return;
      const error = errors.get(ctx);
      const { client, session } = ctx.oidc ?? {};
      if (error === undefined || !isUnreviewed(client) || (await agreed(session?.accountId, client))) return;
      ctx.remove('Location');
      pages.unreviewed(ctx, error, await record(ctx, error, 400));
    },

    /**
     * A logout that began without a signed-in user skips our logout page. Until it ends, a user may have signed in, or
     * the client may be deleted.
     */
    async keepLogoutHere(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
      await next();
      const { client, session, route } = ctx.oidc ?? {};
      if (route !== 'end_session_confirm' || client?.reviewed === true) return;
      if (session?.state?.mayLeave === true) return;
      // Without a state, the user chose to stay signed in, which only our page offers.
      if (session?.accountId !== undefined && session.state === undefined) return;
      // Undefined if there is no such header, although its type says otherwise.
      const location: string | undefined = ctx.response.get('Location');
      if (location && !location.startsWith(`${ctx.oidc.issuer}/`)) ctx.redirect(`${routes.end_session}/success`);
    },
  };
}

/** An ID token of the signed-in user for this client, verified by the engine: the user has agreed to the client. */
function isTheirs(hint: unknown, subject: string | undefined): boolean {
  return subject !== undefined && (hint as { sub?: unknown } | undefined)?.sub === subject;
}
