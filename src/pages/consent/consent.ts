/** The consent page: what the client requests, in plain words, and the person's answer. */

import type { Grant } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { toldUsername } from '../../core/accounts/told-names.ts';
import { allowedScopes } from '../../core/apis/apis.ts';
import { type Asked, mergedConsent, together } from '../../core/clients/consent-policy.ts';
import { displayName } from '../../core/kernel/names.ts';
import { consentSnapshot, shownSnapshot } from '../../core/metadata-clients/consent-snapshot.ts';
import { callerOf } from '../../http/caller.ts';
import { addConsent, removeConsent } from '../../oidc/requests/consent-check.ts';
import { engineScopes } from '../../oidc/requests/scopes.ts';
import type { PageDeps } from '../kit/deps.ts';
import { formTargets, isForDevice, requestOf, signInAgain } from '../kit/interaction/authorization-request.ts';
import { clientView, destinationOf, documentView } from '../kit/interaction/client-view.ts';
import type { Step, StepContext } from '../kit/interaction/dispatcher.ts';
import type { ClientView, ScopeView } from '../kit/view-parts.ts';
import { chosen, fieldOf } from './consent-choice.ts';
import { stepUpIn, stepUpOf, toldOf } from './step-up.ts';

/**
 * Why an earlier consent does not apply: the redirect URI does not identify the client, a policy requires the question,
 * the client's document has changed, or nothing identifies a device.
 */
export const eachTimeReasons = ['unproven', 'policy', 'changed', 'device'] as const;
type EachTime = (typeof eachTimeReasons)[number];

declare module '../kit/views.ts' {
  interface ViewLocals {
    consent: {
      readonly action: string;
      readonly csrf: string;
      /** Identifies what the page shows of a client that can change itself. */
      readonly snapshot?: string | undefined;
      /** Why an earlier consent does not apply. */
      readonly eachTime?: EachTime | undefined;
      /** A device asks: the person is to have it in front of them. */
      readonly device?: boolean | undefined;
      readonly client: ClientView & {
        readonly policyUri?: string | undefined;
        readonly tosUri?: string | undefined;
        readonly contacts?: readonly string[] | undefined;
        /** The destination of the response. */
        readonly redirectHost?: string | undefined;
        /** The host of the document that describes the client. */
        readonly documentHost?: string | undefined;
        /** All its redirect URIs are on this computer, where any program can pose as it. */
        readonly onLoopback?: boolean | undefined;
        /** The username of the person who registered the client; absent if an admin or this server did. */
        readonly owner?: string | undefined;
      };
      readonly account: {
        readonly name?: string | undefined;
        readonly username: string;
        readonly email?: string | undefined;
      };
      readonly scopes: readonly ScopeView[];
      /** Scopes of APIs, by the API's name. */
      readonly apis?: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[] | undefined;
      /** What the person has allowed before, if the request asks for more (step-up.ts). */
      readonly known?: { readonly told: string; readonly scopes: readonly ScopeView[] } | undefined;
    };
  }
}

/** Returns undefined if an earlier consent applies. */
function eachTimeFor(reasons: readonly string[], device: boolean): EachTime | undefined {
  if (reasons.includes('unproven_redirect_uri')) return device ? 'device' : 'unproven';
  return reasons.includes('always_asked') ? 'policy' : undefined;
}

export function createConsentStep(deps: PageDeps): Step {
  /** All scopes of the request that exist here, including those granted before: the page shows the full request. */
  async function askedIn({ interaction }: StepContext): Promise<Asked> {
    const { scopes, clientId } = requestOf(interaction);
    const registered = (await deps.cached.find(clientId))?.metadata.scope;
    const { resource } = interaction.params;
    const identifiers = (Array.isArray(resource) ? resource : [resource]).filter((value) => typeof value === 'string');
    const missing = interaction.prompt.details.missingOIDCClaims;
    return {
      scopes: scopes.filter((scope) => engineScopes.includes(scope)),
      claims: Array.isArray(missing) ? missing.map(String) : [],
      resources: Object.fromEntries(
        identifiers.flatMap((identifier) => {
          const api = deps.apis.find(identifier);
          const offered = api ? allowedScopes(registered, api) : [];
          const names = scopes.filter((scope) => offered.includes(scope));
          return names.length > 0 ? [[identifier, names]] : [];
        }),
      ),
    };
  }

  const identityViews = ({ scopes, claims }: Asked): ScopeView[] => [...scopes, ...claims].map((name) => ({ name }));

  function apiViews({ resources }: Asked) {
    const [builtIn] = deps.apis.list();
    return Object.entries(resources).flatMap(([identifier, names]) => {
      const api = deps.apis.find(identifier);
      const scopes = (api?.scopes ?? [])
        .filter(({ name }) => names.includes(name))
        .map(({ name, sentence, optional }) => ({
          name,
          field: optional ? fieldOf(identifier, name) : undefined,
          // The sentences of the built-in API are in the catalogue, in the reader's language.
          sentence: identifier === builtIn?.identifier ? undefined : sentence,
        }));
      return api && scopes.length > 0 ? [{ name: api.name, scopes }] : [];
    });
  }

  /** One list without boxes: the account page is the place to take something back. */
  function knownViews(known: Asked): ScopeView[] {
    const ofApis = apiViews(known).flatMap(({ scopes }) => scopes.map((scope) => ({ ...scope, field: undefined })));
    return [...identityViews(known), ...ofApis];
  }

  return {
    async show(step) {
      const { ctx, interaction, action } = step;
      const request = requestOf(interaction);
      const subject = interaction.session?.accountId ?? '';
      const [client, account, before] = await Promise.all([
        deps.cached.find(request.clientId),
        deps.stores.accounts.bySubject(subject),
        deps.stores.consents.find(subject, request.clientId),
      ]);
      const owner = client?.owner ? await deps.stores.accounts.bySubject(client.owner) : undefined;
      const asked = await askedIn(step);
      const metadata = client?.metadata ?? {};
      const text = (name: string) => (typeof metadata[name] === 'string' ? String(metadata[name]) : undefined);
      const snapshot = client ? (consentSnapshot(client) ?? undefined) : undefined;
      const changed = before !== undefined && snapshot !== undefined && before.snapshot !== snapshot;
      const stepUp = stepUpOf(asked, changed ? undefined : before);
      const told = toldOf(stepUp);

      deps.pages.show(
        ctx,
        'consent',
        {
          action,
          csrf: deps.csrf.token(ctx),
          snapshot: client ? (shownSnapshot(client) ?? undefined) : undefined,
          eachTime: changed ? 'changed' : eachTimeFor(interaction.prompt.reasons, isForDevice(interaction)),
          device: isForDevice(interaction),
          client: {
            ...(clientView(client) ?? { name: request.clientId }),
            policyUri: text('policy_uri'),
            tosUri: text('tos_uri'),
            contacts: Array.isArray(metadata.contacts) ? metadata.contacts.map(String) : [],
            redirectHost: destinationOf(request.redirectUri),
            ...(client && documentView(client)),
            // Registration is open and names are free, so the page also shows who registered the client.
            owner: client?.owner ? ((owner && toldUsername(owner)) ?? '?') : undefined,
          },
          account: {
            name: account && displayName(account),
            username: account?.username ?? '',
            email: account?.email ?? undefined,
          },
          scopes: identityViews(stepUp.question),
          apis: apiViews(stepUp.question),
          known: told === undefined ? undefined : { told, scopes: knownViews(stepUp.known) },
        },
        { uiLocales: request.uiLocales, accountLocale: account?.locale, formTargets: formTargets(request) },
      );
    },

    async take(step, form) {
      const { ctx, provider, interaction } = step;
      const subject = interaction.session?.accountId ?? '';
      const { clientId } = requestOf(interaction);
      const caller = callerOf(ctx, 'browser');
      const asked = await askedIn(step);
      const client = await deps.cached.find(clientId);
      const snapshot = client ? consentSnapshot(client) : null;

      switch (form.get('answer')) {
        case 'switch':
          return signInAgain(deps, interaction);
        case 'deny':
          await deps.audit.record('consent.denied', { subject, clientId, caller });
          return { error: 'access_denied', error_description: 'the person did not allow it' };
        case 'allow': {
          // Ended since the page was shown: nothing is kept, and the engine refuses the client.
          if (client?.disabledAt !== null) return {};
          const found = await deps.stores.consents.find(subject, clientId);
          const before = (found?.snapshot ?? null) === snapshot ? found : undefined;
          const stepUp = stepUpIn(form.get('known'), asked, before);
          const now = shownSnapshot(client);
          const seen = form.get('snapshot') ?? (snapshot === null ? now : undefined);
          // The client, or what was allowed, has changed since the page was shown.
          if (stepUp === undefined || (now !== null && seen !== now)) {
            await this.show(step);
            return undefined;
          }
          const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
          const grant: Grant = known ?? new provider.Grant({ accountId: subject, clientId });
          const { given: more, declined } = chosen(stepUp.question, form, deps.apis);
          const given = together(stepUp.known, more);
          if (given.scopes.length + given.claims.length + Object.keys(given.resources).length === 0)
            return this.take(step, new Map([['answer', 'deny']]));
          addConsent(grant, given);
          removeConsent(grant, declined);
          await deps.metadataClients.keep(client);
          const grantId = await grant.save();
          const of = { subject, clientId, snapshot };
          await deps.stores.consents.put(mergedConsent(of, before, given, nowSeconds(), declined));
          await deps.audit.record('consent.granted', {
            subject,
            clientId,
            caller,
            detail: {
              scopes: [...given.scopes],
              resources: Object.fromEntries(Object.entries(given.resources).map(([api, names]) => [api, [...names]])),
            },
          });
          return { consent: { grantId, declined } };
        }
        default:
          await this.show(step);
          return undefined;
      }
    },
  };
}
