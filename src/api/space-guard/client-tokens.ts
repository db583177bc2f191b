/** Client tokens, for admins: issue, list (without their values), revoke. */
import { Refusal } from '../../base/errors.ts';
import type { ClientToken } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';
import { adminOperation } from '../kit/admin-key.ts';
import type { Table } from '../kit/endpoints.ts';
import { schemasOf } from '../kit/operation.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));
const via = 'space-guard';

const listed = ({ id, label, createdAt, expiresAt }: ClientToken) => ({
  id,
  label,
  created_at: createdAt,
  expires_at: expiresAt,
});
const noClient = () => new Refusal('not_found', 'there is no such client');

export function createClientTokens({ adminKeys, audit, clients }: SurfaceDeps): Table {
  const issue = adminOperation(adminKeys, {
    summary: 'Issue a client token',
    body: shapes.issue,
    answers: {
      201: { description: 'The token is issued. No other response shows it.', body: shapes.issued },
      404: 'The client does not exist.',
      409: 'The client has the maximum number of tokens.',
    },
    async handle(ctx, read) {
      const { client_id: clientId, label, expires_in: lifetime = null } = await read.body();
      const made = await clients.issueToken(clientId, { label, lifetime });
      if (made.outcome === 'unknown') throw noClient();
      if (made.outcome === 'too-many')
        throw new Refusal('conflict', 'the client has too many tokens: revoke one first');
      const caller = callerOf(ctx, via);
      const detail = { via, token: made.token.id };
      await audit.record('client.token_issued', { clientId, caller, detail });
      const data = { ...listed(made.token), client_id: clientId, client_token: made.value };
      ctx.status = 201;
      ctx.body = { code: 201, message: 'the client token is issued', data };
    },
  });

  const list = adminOperation(adminKeys, {
    summary: 'List the tokens of a client',
    query: shapes.ofClient,
    answers: {
      200: { description: 'The tokens, without their values.', body: shapes.list },
      404: 'The client does not exist.',
    },
    async handle(ctx, read) {
      const { client_id } = await read.query();
      const client = await clients.find(client_id);
      if (!client) throw noClient();
      ctx.body = { code: 200, message: 'the client tokens', data: { client_id, tokens: client.tokens.map(listed) } };
    },
  });

  const revoke = adminOperation(adminKeys, {
    summary: 'Revoke a token',
    description: 'Its sessions end: on this node at once, on other nodes within a second.',
    params: { id: 'The id from the list.' },
    query: shapes.ofClient,
    answers: {
      200: { description: 'The token is revoked.', body: shapes.done },
      404: 'The client or the token does not exist.',
    },
    async handle(ctx, read) {
      const { client_id: clientId } = await read.query();
      await read.body();
      const { id: token } = ctx.params as { id: string };
      const revoked = await clients.revokeToken(clientId, token);
      if (revoked.outcome === 'unknown') throw new Refusal('not_found', 'there is no such client token');
      const caller = callerOf(ctx, via);
      await audit.record('client.token_revoked', { clientId, caller, detail: { via, token } });
      ctx.body = { code: 200, message: 'the client token is revoked' };
    },
  });

  return { '/client-tokens': { GET: list, POST: issue }, '/client-tokens/{id}': { DELETE: revoke } };
}
