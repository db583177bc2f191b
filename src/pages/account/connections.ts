/** Applications with the person's consent: what each may do, since when, and how to end it (security.md B16). */
import type { Connection } from '../../core/consents/connections.ts';
import type { ClientView, ScopeView } from '../kit/view-parts.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, notThere, type Show, showPage, type Take } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-connections': AccountForm & {
      readonly connections: readonly {
        readonly id: string;
        readonly client: ClientView;
        readonly scopes: readonly ScopeView[];
        readonly apis: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[];
        readonly since: number;
        readonly lastUsedAt?: number | undefined;
      }[];
    };
  }
}

const page = '/account/connections';

export function createConnectionsPage(deps: AccountDeps): { show: Show; end: Take } {
  const [builtIn] = deps.apis.list();

  async function shown({ clientId, scopes, claims, resources, since, lastUsedAt }: Connection) {
    const client = await deps.cached.find(clientId);
    const { client_name: name, client_uri: uri } = client?.metadata ?? {};
    return {
      id: clientId,
      client: {
        name: typeof name === 'string' && name !== '' ? name : clientId,
        uri: typeof uri === 'string' ? uri : undefined,
        host: (typeof uri === 'string' && URL.parse(uri)?.host) || undefined,
      },
      scopes: [...scopes, ...claims].map((scope) => ({ name: scope })),
      apis: Object.entries(resources).flatMap(([identifier, names]) => {
        const api = deps.apis.find(identifier);
        const known = new Map(api?.scopes.map(({ name, sentence }) => [name, sentence]));
        if (names.length === 0) return [];
        // The catalogue has the texts of built-in scopes, in the reader's language.
        const sentenceOf = (scope: string) => (identifier === builtIn?.identifier ? undefined : known.get(scope));
        return [
          {
            name: api?.name ?? identifier,
            scopes: names.map((scope) => ({ name: scope, sentence: sentenceOf(scope) })),
          },
        ];
      }),
      since,
      lastUsedAt: lastUsedAt ?? undefined,
    };
  }

  return {
    async show(visit) {
      const connections = await deps.connections.list(visit.account.subject);
      return showPage(deps, visit, 'account-connections', { connections: await Promise.all(connections.map(shown)) });
    },

    async end(visit, form) {
      const caller = callerIn(visit, deps.pages);
      if (!(await deps.connections.end(visit.account.subject, form.get('client') ?? '', caller))) {
        return notThere(deps, visit);
      }
      return { to: page, note: { notice: 'connection-ended' } };
    },
  };
}
