/**
 * The protected resources of this server (RFC 9728): the user API, and each prefix of the route table that takes OAuth
 * tokens. From here come the metadata at the well-known addresses, and what a challenge says about tokens.
 */
import type { JsonObject } from '../base/json.ts';
import { comparable } from '../core/apis/api-identifier.ts';
import { type Apis, defaultScopes } from '../core/apis/apis.ts';
import { resourceMetadataAddress, resourceMetadataOf, resourceMetadataPath } from '../core/apis/resource-metadata.ts';
import type { ApiRecord } from '../core/stores/apis.ts';
import { proofAlgorithms } from '../core/tokens/dpop-proof.ts';
import type { Demand, Route, RouteTable } from './routes.ts';

/** The members of a challenge that tell a client how to get a token. Empty for tokens of other kinds. */
export type TokenHints = { readonly scope?: string; readonly resource_metadata?: string };

/** A route has a prefix, and a demand of `/gateway/verify/token` has none. */
export type Demanded = Demand & Partial<Pick<Route, 'prefix'>>;

/** `elsewhere`: a proxy forwards the request, so the resource may have a host of its own. */
type HintsFor = (demand: Demanded, at: 'here' | 'elsewhere') => TokenHints;

interface ProtectedResourcesDeps {
  readonly apis: Pick<Apis, 'find' | 'list'>;
  readonly issuer: string;
}

interface ProtectedResources {
  /** `path`: what follows the well-known address, '' for the root. Undefined if there is no such resource. */
  metadataAt(table: RouteTable, path: string): JsonObject | undefined;
  readonly hintsFor: HintsFor;
  /** The route, without `passToken` for an MCP server: it must not get a token that others accept too. */
  forUpstream(route: Route): Route;
  /** What an operator should know about the MCP servers in the table. */
  noticesFor(table: RouteTable): readonly { readonly prefix: string; readonly notice: string }[];
}

const takesOauth = ({ tokens }: Demand): boolean => tokens.includes('oauth');

export function createProtectedResources({ apis, issuer }: ProtectedResourcesDeps): ProtectedResources {
  const apiOf = ({ audience = '' }: Demand): ApiRecord | undefined => apis.find(audience);

  /** Routes of one prefix may have several audiences; the first one counts. */
  function apiAt(table: RouteTable, prefix: string): ApiRecord | undefined {
    const route = table.routes.find((each) => each.prefix === prefix && takesOauth(each));
    return route && apiOf(route);
  }

  /** The only MCP server, or else the only API of the table, or else the user API. Undefined if there are more. */
  function apiAtRoot(table: RouteTable): ApiRecord | undefined {
    const behind = [...new Set(table.routes.filter(takesOauth).map(apiOf))].filter((api) => api !== undefined);
    const servers = behind.filter(({ mcpServer }) => mcpServer);
    const [one, ...more] = servers.length > 0 ? servers : behind;
    if (one === undefined) return apis.list()[0];
    return more.length === 0 ? one : undefined;
  }

  return {
    metadataAt(table, path) {
      const userApi = apis.list().find(({ identifier }) => path !== '' && identifier === `${issuer}${path}`);
      const api = path === '' ? apiAtRoot(table) : (apiAt(table, path) ?? userApi);
      return api && { ...resourceMetadataOf(api, issuer), dpop_signing_alg_values_supported: [...proofAlgorithms] };
    },

    hintsFor(demand, at) {
      const api = takesOauth(demand) ? apiOf(demand) : undefined;
      if (api === undefined) return demand.scopes.length > 0 ? { scope: demand.scopes.join(' ') } : {};
      // A route without scopes leaves them to its service, so a new token gets those of a request without `scope`.
      const scopes = demand.scopes.length > 0 ? demand.scopes : defaultScopes(api);
      const here = demand.prefix === undefined ? undefined : `${issuer}${resourceMetadataPath}${demand.prefix}`;
      // Whether another host publishes its metadata is known of MCP servers only.
      const elsewhere = api.mcpServer ? resourceMetadataAddress(api.identifier) : undefined;
      const address = at === 'here' ? here : elsewhere;
      return {
        ...(scopes.length > 0 && { scope: scopes.join(' ') }),
        ...(address !== undefined && { resource_metadata: address }),
      };
    },

    forUpstream(route) {
      return route.passToken && apiOf(route)?.mcpServer ? { ...route, passToken: false } : route;
    },

    noticesFor(table) {
      return table.routes.flatMap((route) => {
        const { prefix, upstream, passToken } = route;
        const api = takesOauth(route) ? apiOf(route) : undefined;
        if (!api?.mcpServer) return [];
        const address = `${issuer}${prefix}`;
        const differs = upstream !== undefined && comparable(api.identifier) !== comparable(address);
        return [
          ...(differs
            ? [{ prefix, notice: `agents refuse an MCP server whose identifier is not its address, ${address}` }]
            : []),
          ...(passToken ? [{ prefix, notice: 'passToken has no effect: an MCP server does not get the token' }] : []),
        ];
      });
    },
  };
}
