/**
 * Unreviewed clients: anyone may register one, so a request of theirs must not become a redirect that this server lends
 * its name to (RFC 9700, section 4.11.2). People are sent there once they are signed in and have agreed to the client;
 * until then every error, and the end of a logout, is a page of this server's own.
 *
 *   engine: an error on its way to the redirect URI -> [keepErrorsHere] -> a page, or the redirect after all
 *
 * Requests that a program makes in a person's place (oidc/requests/on-behalf) are left alone: no browser follows them.
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

/** Whether the person who is signed in has agreed to the client. A database that is away is no reason to send them. */
export function createAgreed(consents: Pick<ConsentStore, 'find'>): Agreed {
  return async (subject, client) => {
    if (subject === undefined) return false;
    try {
      return (await consents.find(subject, client.clientId)) !== undefined;
    } catch (error) {
      if (error instanceof Unavailable) return false;
      throw error;
    }
  };
}

export function createKeepHere(agreed: Agreed, shown: ProtocolPages, record: Recorder['record']) {
  /** Errors that the engine has not shown as a page by itself. */
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
        const allowed = isTheirs(entities.IdTokenHint?.payload, subject) || (await agreed(subject, client));
        // The engine goes on by its own note of where to: without one it stays here.
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
     * A logout that began while no person was signed in: the engine shows no page of ours before it goes on. By then a person may
     * have signed in, or the client may be gone.
     */
    async keepLogoutHere(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
      await next();
      const { client, session, route } = ctx.oidc ?? {};
      if (route !== 'end_session_confirm' || client?.reviewed === true) return;
      if (session?.state?.mayLeave === true) return;
      // Without a state the person has stayed signed in, which only our page offers.
      if (session?.accountId !== undefined && session.state === undefined) return;
      // Undefined where there is none, whatever its type says.
      const location: string | undefined = ctx.response.get('Location');
      if (location && !location.startsWith(`${ctx.oidc.issuer}/`)) ctx.redirect(`${routes.end_session}/success`);
    },
  };
}

/** An ID token of the person who is signed in, for this client: they agreed to it once. The engine has verified it. */
function isTheirs(hint: unknown, subject: string | undefined): boolean {
  return subject !== undefined && (hint as { sub?: unknown } | undefined)?.sub === subject;
}
