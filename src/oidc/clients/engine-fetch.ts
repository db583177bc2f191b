/**
 * The engine's own requests, by the careful fetch: a client's keys (`jwks_uri`) when it authenticates, and its sector
 * identifier when it registers or changes.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import Provider, { type Configuration } from 'oidc-provider';
import type { Outgoing } from '../../core/outgoing/outgoing.ts';
import { noteUnfetched } from '../refusals/unfetched.ts';

const maxBytes = 65_536;

interface Checking {
  /** Whether an operator has reviewed the client. */
  readonly reviewed: boolean;
}

const checking = new AsyncLocalStorage<Checking>();

/** Runs a check of client metadata, which may fetch the client's sector identifier. */
export function whileChecking<T>(client: Checking, check: () => Promise<T>): Promise<T> {
  return checking.run(client, check);
}

export function engineFetch(
  outgoing: Outgoing,
): Pick<Configuration, 'fetch' | 'fetchResponseBodyLimits' | 'sectorIdentifierUriValidate'> {
  return {
    fetchResponseBodyLimits: { jwks_uri: maxBytes, sector_identifier_uri: maxBytes },
    // The engine would fetch it again whenever it reads the client.
    sectorIdentifierUriValidate: () => checking.getStore() !== undefined,
    async fetch(input, init) {
      const checked = checking.getStore();
      const { ctx } = Provider;
      const answer = await outgoing.fetch({
        url: input instanceof Request ? input.url : String(input),
        purpose: checked ? 'sector identifier' : 'keys',
        reviewed: checked ? checked.reviewed : ctx?.oidc?.client?.reviewed === true,
        headers: { accept: new Headers(init?.headers).get('accept') ?? '*/*' },
        maxBytes,
      });
      if (answer.outcome !== 'answered') {
        if (ctx && !checked) noteUnfetched(ctx, answer.reason);
        throw new Unfetched(answer.reason);
      }
      const { status, headers, body } = answer;
      if (status !== 200 && ctx && !checked)
        noteUnfetched(ctx, `The address of the keys answered with status ${status}.`);
      const empty = status < 200 || status === 204 || status === 304;
      return new Response(empty ? null : body, { status: Math.max(200, status), headers: ageOf(headers) });
    },
  };
}

/** The message says why, without the address. */
export class Unfetched extends Error {}

/** The engine reads the age of the keys only. */
const ageOf = ({ 'cache-control': control = '', expires = '' }: Readonly<Record<string, string>>) => ({
  ...(control === '' ? {} : { 'cache-control': control }),
  ...(expires === '' ? {} : { expires }),
});
