/**
 * Accounts at other providers with which the person can sign in here: connect and disconnect. The Security page lists
 * them.
 *
 * Connecting needs a fresh sign-in here, the provider's proof, and a confirmation that names both accounts. Without the
 * confirmation, an attacker could make the browser sign in at the provider with the attacker's account and connect it
 * (RFC 9700, section 4.7).
 */
import type { UpstreamFailure } from '../../../core/upstream/upstream-provider.ts';
import { callerOf } from '../../../http/caller.ts';
import { oneOf } from '../../kit/request.ts';
import type { AccountDeps } from '../deps.ts';
import { securityPage } from '../kit/security-pages.ts';
import type { AccountForm } from '../visit.ts';
import { callerIn, notThere, type Onward, type Show, showPage, type Take, type Visit } from '../visit.ts';
import { ask } from './confirmations.ts';

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-identity': AccountForm & { readonly provider: string; readonly label: string; readonly username: string };
  }
}

const identitiesPage = '/account/identities';

export function createIdentitiesPage(deps: AccountDeps): {
  begin: Show;
  callback: Show;
  showConfirm: Show;
  connect: Take;
  askRemoval: Show;
  remove: Take;
} {
  const { upstream } = deps;
  const failed = (kind: UpstreamFailure | 'expired' | 'throttled' | 'taken', provider: string): Onward => ({
    to: securityPage,
    note: { upstreamFailed: { kind, provider: upstream.name(provider) } },
  });
  const placeOf = ({ account, session }: Visit) =>
    ({ kind: 'account', subject: account.subject, session: session.uid }) as const;
  const providerIn = ({ ctx }: Visit): string => String(ctx.params.provider ?? '');

  return {
    async begin(visit) {
      const { ctx } = visit;
      // A link on another site is not the person's request. Connecting needs a confirmation in any case.
      if (!['', 'same-origin', 'none'].includes(ctx.get('Sec-Fetch-Site'))) return { to: securityPage };
      const provider = providerIn(visit);
      const about = { place: placeOf(visit), fresh: { login: false }, uiLocales: deps.pages.localeOf(ctx) };
      const begun = await upstream.begin(provider, about, callerOf(ctx, 'account'));
      if (begun.outcome === 'unknown') return notThere(deps, visit);
      return begun.outcome === 'address' ? { to: begun.address } : failed(begun.reason, provider);
    },

    async callback(visit) {
      const provider = providerIn(visit);
      const answer = new URLSearchParams(visit.ctx.querystring);
      const finished = await upstream.finish(provider, placeOf(visit), answer, callerOf(visit.ctx, 'account'));
      if (finished.outcome === 'failed') return failed(finished.reason, provider);
      return { to: `${identitiesPage}/confirm`, note: { identity: finished.proof } };
    },

    async showConfirm(visit) {
      const { identity } = visit.note;
      if (identity === undefined) return { to: securityPage };
      const { account } = visit;
      return showPage(deps, visit, 'account-identity', {
        provider: upstream.name(identity.provider),
        label: identity.label,
        username: account.username,
      });
    },

    async connect(visit) {
      const { identity } = visit.note;
      if (identity === undefined) return failed('expired', '');
      const linked = await upstream.link(identity, visit.account, callerIn(visit, deps.pages));
      if (linked !== 'linked') return failed(linked === 'taken' ? 'taken' : 'expired', identity.provider);
      return { to: securityPage, note: { notice: 'identity-connected' } };
    },

    async askRemoval(visit) {
      const id = oneOf(visit.ctx, 'identity') ?? '';
      const identity = (await upstream.linked(visit.account.subject)).find((one) => one.id === id);
      if (!identity) return notThere(deps, visit);
      return ask(deps, visit, {
        asks: 'identity',
        action: `${identitiesPage}/remove`,
        field: { name: 'identity', value: id },
        about: { name: upstream.name(identity.provider) },
      });
    },

    async remove(visit, form) {
      const id = form.get('identity') ?? '';
      const removed = await upstream.unlink(visit.account.subject, id, callerIn(visit, deps.pages));
      if (removed === 'not-found') return notThere(deps, visit);
      return { to: securityPage, note: { notice: removed === 'last' ? 'identity-last' : 'identity-removed' } };
    },
  };
}
