/** An application with the person's consent as the account pages show it. */
import type { Connection } from '../../../core/consents/connections.ts';
import { clientView } from '../../kit/interaction/client-view.ts';
import type { ClientView, ScopeView } from '../../kit/view-parts.ts';
import type { AccountDeps } from '../deps.ts';
import { asking } from './asking.ts';

export interface ConnectionView {
  readonly client: ClientView;
  readonly scopes: readonly ScopeView[];
  readonly apis: readonly { readonly name: string; readonly scopes: readonly ScopeView[] }[];
  readonly since: number;
  readonly lastUsedAt?: number | undefined;
  /** The page that asks whether to disconnect it. */
  readonly end: string;
}

export const connectionsPage = '/account/connections';

type Deps = Pick<AccountDeps, 'apis' | 'cached'>;

export async function connectionView(
  deps: Deps,
  { clientId, scopes, claims, resources, since, lastUsedAt }: Connection,
  from?: 'overview',
): Promise<ConnectionView> {
  return {
    // Its colours stay on its own pages.
    client: clientView(await deps.cached.find(clientId)) ?? { name: clientId },
    scopes: [...scopes, ...claims].map((scope) => ({ name: scope })),
    apis: Object.entries(resources).flatMap(([identifier, names]) =>
      names.length === 0 ? [] : [apiView(deps, identifier, names)],
    ),
    since,
    lastUsedAt: lastUsedAt ?? undefined,
    end: asking(`${connectionsPage}/end`, { client: clientId }, from),
  };
}

function apiView({ apis }: Deps, identifier: string, names: readonly string[]): ConnectionView['apis'][number] {
  const [builtIn] = apis.list();
  const api = apis.find(identifier);
  const known = new Map(api?.scopes.map(({ name, sentence }) => [name, sentence]));
  // The catalogue has the texts of built-in scopes, in the reader's language.
  const sentenceOf = (scope: string) => (identifier === builtIn?.identifier ? undefined : known.get(scope));
  return { name: api?.name ?? identifier, scopes: names.map((name) => ({ name, sentence: sentenceOf(name) })) };
}
