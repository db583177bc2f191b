/**
 * Dynamic client registration (RFC 7591; OpenID Connect Dynamic Client Registration 1.0) and its management (RFC 7592).
 * Not an API surface of `SURFACES`: the setting `REGISTRATION` decides. core/dynamic-clients has the rules.
 *
 *     POST   /oauth/register              initial access token or none
 *     GET    /oauth/register/{client_id}  registration access token, as have PUT and DELETE
 *
 * Pages of any origin may call it: no cookie counts here, and agents register from a browser.
 */
import type { Context } from 'koa';
import { Refusal, type RefusalCode } from '../../base/errors.ts';
import { metadataTold } from '../../core/clients/client-changes.ts';
import type { DynamicClients, NotRegistered } from '../../core/dynamic-clients/dynamic-clients.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { bearerChallenge, bearerOf } from '../../http/authorization.ts';
import { callerOf } from '../../http/caller.ts';
import { allowAnyOrigin, answerPreflight } from '../../http/cors.ts';
import type { Route } from '../../http/routes.ts';
import { whyAddress } from '../../http/why-link.ts';
import { createEndpoints } from '../kit/endpoints.ts';
import { type Mistake, operation, schemasOf } from '../kit/operation.ts';
import { retryAfterHeader } from '../kit/refusals.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const shapes = schemasOf(() => import('./shapes.ts'));

const path = '/oauth/register';
const via = 'registration';
const ownPath = `${path}/{client_id}`;
/** MCP-Protocol-Version: clients of MCP send it with every request. */
const allowedHeaders = 'Accept, Authorization, Content-Type, MCP-Protocol-Version';

/** A refusal whose record names a check of its own. */
class RegistrationRefusal extends Refusal {
  readonly check: CheckName;

  constructor(check: CheckName, code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message, headers);
    this.check = check;
  }
}

interface RegistrationDeps extends Pick<SurfaceDeps, 'log' | 'noteRefusal'> {
  readonly config: { readonly issuer: string; readonly registration: { readonly mode: 'off' | 'token' | 'open' } };
  readonly dynamicClients: DynamicClients;
}

export function createRegistration(deps: RegistrationDeps) {
  const { dynamicClients, config } = deps;
  const { issuer, registration } = config;

  const invalidToken = (check: CheckName, message: string) =>
    new RegistrationRefusal(
      check,
      'invalid_token',
      message,
      // RFC 6750, section 3.1: without a token, the challenge has no error.
      bearerChallenge(issuer, check === 'initial_token_missing' ? {} : { error: 'invalid_token' }),
    );

  /** Undefined if none was sent. */
  function tokenOf(ctx: Context, check: CheckName): string | undefined {
    const sent = bearerOf(ctx.req);
    if (sent.outcome === 'malformed') throw invalidToken(check, 'send one token: Authorization: Bearer TOKEN');
    return sent.outcome === 'token' ? sent.token : undefined;
  }

  /** The id and the registration access token. An unknown client is answered as a wrong token is. */
  function managed(ctx: Context): readonly [id: string, token: string] {
    const { client_id: id = '' } = ctx.params as { client_id?: string };
    return [id, tokenOf(ctx, 'registration_token_invalid') ?? ''];
  }

  const notAllowed = () =>
    invalidToken('registration_token_invalid', 'the registration access token is not valid for this client');

  /** RFC 7591, section 3.2.1, and RFC 7592, section 3. Secrets are stored as hashes, so a later answer has none. */
  function told(client: ClientRecord, token: string, secret?: string, dropped: readonly string[] = []): object {
    const { unprotected_at: _note, ...metadata } = metadataTold(client, dropped);
    return {
      ...metadata,
      client_id: client.id,
      client_id_issued_at: client.createdAt,
      ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
      registration_access_token: token,
      registration_client_uri: `${issuer}${path}/${encodeURIComponent(client.id)}`,
    };
  }

  const register = operation({
    summary: 'Register a client',
    description:
      'For clients that register themselves (RFC 7591). They are unreviewed, and end if they are not used. Scopes, grants and redirect URIs beyond the policy are dropped and named.',
    security: registration.mode === 'open' ? ['initialToken', 'public'] : ['initialToken'],
    body: shapes.metadata,
    answers: {
      201: { description: 'The client is registered.', body: shapes.registered },
      400: '`invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591, section 3.2.2).',
      401: { description: 'The initial access token is missing, unknown, expired or used up.', headers: challenge },
      429: { description: 'Too many registrations, or too many registered clients.', headers: retryAfterHeader },
    },
    async handle(ctx, read) {
      const initialToken = tokenOf(ctx, 'initial_token_invalid');
      const caller = callerOf(ctx, via);
      const admission = await dynamicClients.admit(initialToken, caller);
      if (admission.outcome !== 'admitted') throw refusalOf(admission);
      const made = await dynamicClients.register(await read.body(), admission, caller);
      if (made.outcome !== 'registered') throw refusalOf(made);
      ctx.status = 201;
      ctx.body = told(made.client, made.token, made.secret, made.dropped);
    },
  });

  function refusalOf(outcome: NotRegistered): Refusal {
    switch (outcome.outcome) {
      case 'invalid':
        return new Refusal(outcome.error, outcome.description);
      case 'token-needed':
        return invalidToken('initial_token_missing', 'an initial access token is needed');
      case 'token-refused':
        return invalidToken('initial_token_invalid', 'the initial access token is not valid');
      case 'throttled':
        return later('throttled', 'too many registrations or changes, wait a while', outcome.retryAfter);
      case 'full':
        return later('registrations_full', 'too many clients are registered', outcome.retryAfter);
    }
  }

  const own = { security: ['registrationToken'], params: { client_id: 'The `client_id`.' } };
  const unauthorized = {
    description: 'The client does not exist, or the token is not its registration access token.',
    headers: challenge,
  };

  const read = operation({
    ...own,
    summary: 'Read the registration',
    description: 'RFC 7592. Without the secret, because only its hash is stored.',
    answers: { 200: { description: 'The registration.', body: shapes.registered }, 401: unauthorized },
    async handle(ctx) {
      const [id, token] = managed(ctx);
      const client = await dynamicClients.find(id, token);
      if (!client) throw notAllowed();
      ctx.body = told(client, token);
    },
  });

  const update = operation({
    ...own,
    summary: 'Replace the registration',
    description: 'RFC 7592. The registration access token stays. The review of an operator ends.',
    body: shapes.replacement,
    answers: {
      200: { description: 'The registration after the change.', body: shapes.registered },
      400: 'As for a registration, or another `client_id` or `client_secret`.',
      401: unauthorized,
      429: { description: 'Too many changes.', headers: retryAfterHeader },
    },
    async handle(ctx, { body }) {
      const [id, token] = managed(ctx);
      // The token first, so that a stranger learns nothing about valid input.
      if (!(await dynamicClients.find(id, token))) throw notAllowed();
      const made = await dynamicClients.update(id, token, await body(), callerOf(ctx, via));
      if (made.outcome === 'not-allowed') throw notAllowed();
      if (made.outcome === 'throttled' || made.outcome === 'invalid') throw refusalOf(made);
      ctx.body = told(made.client, token, made.secret, made.dropped);
    },
  });

  const remove = operation({
    ...own,
    summary: 'End the registration',
    description: 'RFC 7592. The client ends with its tokens, grants and consents, on every node within a second.',
    answers: { 204: 'The client is gone.', 401: unauthorized },
    async handle(ctx, { body }) {
      const [id, token] = managed(ctx);
      await body();
      if (!(await dynamicClients.remove(id, token, callerOf(ctx, via)))) throw notAllowed();
      ctx.status = 204;
    },
  });

  const endpoints = createEndpoints(
    {
      name: via,
      title: 'Client registration',
      about: 'For clients that register themselves. An operator sets who may (`REGISTRATION`).',
      table: {
        [path]: { POST: register, OPTIONS: (ctx) => answerPreflight(ctx, 'POST', allowedHeaders) },
        [ownPath]: {
          GET: read,
          PUT: update,
          DELETE: remove,
          OPTIONS: (ctx) => answerPreflight(ctx, 'GET, PUT, DELETE, HEAD', allowedHeaders),
        },
      },
      schemes: {
        initialToken: { type: 'http', scheme: 'bearer', description: 'An initial access token of the operator.' },
        registrationToken: {
          type: 'http',
          scheme: 'bearer',
          description: '`registration_access_token` of the client.',
        },
      },
      failure: shapes.failure,
      errorBody: ({ status, code, message }, ctx) => ({
        error: standardWords[code] ?? code,
        error_description: message,
        ...(status < 500 && { error_uri: whyAddress(issuer, ctx.response.get('X-Request-Id')) }),
      }),
      recorded: (error) => (error instanceof RegistrationRefusal ? { check: error.check } : {}),
      onInvalid,
    },
    deps,
  );
  const when = { holds: registration.mode !== 'off', says: 'with `REGISTRATION`' };
  const routes = endpoints.routes.map((route) =>
    'methods' in route ? { ...route, when, frame: anyOrigin(route) } : route,
  );
  return { api: endpoints.api, routes };
}

const challenge = { 'WWW-Authenticate': 'A Bearer challenge (RFC 6750, section 3).' } as const;

/** RFC 7591, section 3.2.2, has one code for all that is wrong with a request but the redirect URIs. */
const standardWords: Readonly<Record<string, string>> = {
  invalid_request: 'invalid_client_metadata',
  method_not_allowed: 'invalid_request',
  payload_too_large: 'invalid_client_metadata',
  unsupported_media_type: 'invalid_client_metadata',
  too_many_requests: 'temporarily_unavailable',
};

function onInvalid({ member, message }: Mistake): Refusal {
  return new Refusal(member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata', message);
}

const later = (check: CheckName, message: string, seconds: number): Refusal =>
  new RegistrationRefusal(check, 'too_many_requests', message, { 'Retry-After': String(seconds) });

/** Errors are for the calling page too. A preflight names its origin instead. */
function anyOrigin({ frame }: Route): NonNullable<Route['frame']> {
  return async (ctx, act) => {
    if (ctx.method !== 'OPTIONS') allowAnyOrigin(ctx);
    await (frame ? frame(ctx, act) : act());
  };
}
