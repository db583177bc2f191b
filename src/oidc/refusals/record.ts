/**
 * Records each refused protocol request once, whether the response is JSON, a page or a redirect to the application.
 * The response carries the reference: as `error_uri` in JSON and redirects (RFC 6749, sections 4.1.2.1 and 5.2), on the
 * page, and in a `Link` header.
 */
import type { EventEmitter } from 'node:events';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { type CheckName, checks, type EndpointName, endpointOfPath } from '../../core/refusals/checks.ts';
import type { Refusals } from '../../core/refusals/refusals.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';
import type { IsDeveloper } from '../../http/developer.ts';
import { whyAddress, whyLink } from '../../http/why-link.ts';
import { onBehalfOf } from '../requests/on-behalf.ts';
import { checkOf } from './engine-words.ts';
import { factsOfRefusal } from './facts.ts';
import type { Facts, FactsDeps, RecordedRefusal } from './recorded.ts';

interface RecorderDeps extends FactsDeps {
  readonly refusals: Refusals;
  readonly log: Logger;
  readonly clients: Pick<CachedClients, 'find'>;
  /** Whose refused requests are answered with all known facts. */
  readonly isDeveloper: IsDeveloper;
}

const recorded = Symbol('recorded');
type Marked = { [recorded]?: Promise<RecordedRefusal> };

/** Names the failed check if the engine's text does not. Call it before the response is recorded. */
const named = Symbol('check');
export function nameCheck(ctx: object, check: CheckName): void {
  (ctx as { [named]?: CheckName })[named] = check;
}

/** The engine's events with the reason of a refusal; the response has only the public text. */
const events = [
  'authorization.error',
  'pushed_authorization_request.error',
  'grant.error',
  'device_authorization.error',
  'code_verification.error',
  'device_resume.error',
  'introspection.error',
  'revocation.error',
  'end_session.error',
  'discovery.error',
  'jwks.error',
] as const;

const failure = Symbol('failure');
type WithFailure = { [failure]?: Error };

export function keepFailures(provider: Provider): void {
  for (const event of events) {
    // All events have this shape, but their types are separate.
    (provider as EventEmitter).on(event, (ctx: KoaContextWithOIDC, error: Error) => {
      noteFailure(ctx, error);
    });
  }
}

/** The reason of a refusal that is recorded. */
export function noteFailure(ctx: object, error: Error): void {
  (ctx as WithFailure)[failure] = error;
}

/** Undefined if the engine refused nothing. */
export function failureOf(ctx: object): Error | undefined {
  return (ctx as WithFailure)[failure];
}

const endpointOfRoute: Readonly<Record<string, EndpointName>> = {
  authorization: 'authorize',
  resume: 'authorize',
  pushed_authorization_request: 'par',
  token: 'token',
  device_authorization: 'device',
  code_verification: 'device',
  device_resume: 'device',
  introspection: 'introspection',
  revocation: 'revocation',
  end_session: 'logout',
  end_session_confirm: 'logout',
  end_session_success: 'logout',
  discovery: 'discovery',
  jwks: 'discovery',
};

export type Recorder = ReturnType<typeof createRecorder>;

export function createRecorder(deps: RecorderDeps) {
  const { refusals, clients, isDeveloper, issuer } = deps;

  async function write(ctx: KoaContextWithOIDC, status: number, error: Error | undefined): Promise<RecordedRefusal> {
    const params = paramsOf(ctx);
    const clientId = clientIdOf(ctx, params);
    const client = clientId === undefined ? undefined : await known(clientId);
    const said = wordsOf(ctx, error);
    const forced = (ctx as { [named]?: CheckName })[named];
    const first = forced ?? (status === 429 ? 'client_throttled' : checkOf(said, ctx.oidc?.route, params));
    const asked = { ctx, params, clientId, client, said: said.detail ?? said.description };
    // If a read of this request failed, there are no facts.
    const { look, ...facts }: Facts = await factsOfRefusal(first, asked, deps).catch((error: unknown) => {
      deps.log.debug({ err: error }, 'a refusal is recorded without facts');
      return {};
    });
    const check = facts.check ?? first;
    const behalf = onBehalfOf(ctx);
    const nearest = facts.nearest ?? (isDeveloper(ctx.req) ? await look?.().catch(() => undefined) : undefined);
    const reference = refusals.note({
      ...facts,
      nearest,
      look: nearest === undefined ? look : undefined,
      endpoint: behalf ? 'tinyoauth' : (endpointOfRoute[ctx.oidc?.route ?? ''] ?? endpointOfPath(ctx.path)),
      check,
      status,
      error: said.error,
      clientId,
      known: client !== undefined,
      caller: behalf?.caller ?? callerOf(ctx),
    });
    const { source, says, advice } = checks[check];
    return { source, says, ...facts, nearest, advice: facts.advice ?? advice, check, reference };
  }

  const uriOf = (reference: string): string => whyAddress(issuer, reference);

  async function known(id: string): Promise<ClientRecord | undefined> {
    try {
      return await clients.find(id);
    } catch (error) {
      // The refusal stands, even if the database has become unavailable.
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  }

  /** Records once per request: for the engine's page, or at the end of the request. */
  function record(ctx: KoaContextWithOIDC, error?: Error, status = ctx.status): Promise<RecordedRefusal> {
    const marked = ctx as Marked;
    marked[recorded] ??= write(ctx, status, error ?? failureOf(ctx));
    return marked[recorded];
  }

  return {
    record,

    /** The outermost middleware around the engine. */
    async middleware(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
      await next();
      const failed = failureOf(ctx) !== undefined;
      const refused = ctx.status >= 400 && ctx.status < 500;
      // Not a refusal: the device is to ask again.
      if ((!failed && !refused) || failureOf(ctx) instanceof errors.AuthorizationPending) return;
      const behalf = onBehalfOf(ctx);
      if (behalf) {
        if (behalf.outcome?.outcome !== 'redirect' || !failed) return;
        const { reference } = await record(ctx, undefined, 302);
        behalf.outcome = { outcome: 'redirect', location: withErrorUri(behalf.outcome.location, uriOf(reference)) };
        return;
      }
      const redirected = !refused && failed && Boolean(ctx.response.get('Location'));
      if (!refused && !redirected) return;
      const refusal = await record(ctx);
      const uri = uriOf(refusal.reference);
      ctx.append('Link', whyLink(issuer, refusal.reference));
      const body = ctx.body as Record<string, unknown> | undefined;
      if (redirected) ctx.set('Location', withErrorUri(ctx.response.get('Location'), uri));
      else if (isJson(body)) Object.assign(body, { error_uri: uri }, isDeveloper(ctx.req) ? explained(refusal) : {});
    },
  };
}

/** The additional members of a JSON response to the developer. */
export function explained({ check, says, source, expected, received, nearest, advice }: RecordedRefusal) {
  return { check, says, source, expected, received, nearest, advice };
}

function isJson(body: Record<string, unknown> | undefined): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && typeof body.error === 'string';
}

/** Appends `error_uri` to the query or the fragment, whichever has the error. */
function withErrorUri(location: string, uri: string): string {
  const url = URL.parse(location);
  if (!url) return location;
  const added = `error_uri=${encodeURIComponent(uri)}`;
  if (/[#&]error=/.test(url.hash)) return `${location}&${added}`;
  const [before = '', fragment] = location.split('#', 2);
  return `${before}${before.includes('?') ? '&' : '?'}${added}${fragment === undefined ? '' : `#${fragment}`}`;
}

function paramsOf(ctx: KoaContextWithOIDC): Readonly<Record<string, unknown>> {
  return { ...ctx.query, ...ctx.oidc?.body, ...ctx.oidc?.params };
}

function clientIdOf(ctx: KoaContextWithOIDC, params: Readonly<Record<string, unknown>>): string | undefined {
  const named = ctx.oidc?.client?.clientId ?? params.client_id;
  if (typeof named === 'string' && named !== '') return named;
  const [scheme, value = ''] = ctx.get('Authorization').split(' ');
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const [id = ''] = Buffer.from(value, 'base64').toString('utf8').split(':');
  return id === '' ? undefined : id;
}

function wordsOf(ctx: KoaContextWithOIDC, error: Error | undefined) {
  if (error instanceof errors.OIDCProviderError) {
    const { error: code, error_description: description, error_detail: detail } = error;
    return { error: code, description, detail };
  }
  const body = ctx.body as { error?: unknown; error_description?: unknown } | undefined;
  return {
    error: typeof body?.error === 'string' ? body.error : 'invalid_request',
    description: typeof body?.error_description === 'string' ? body.error_description : undefined,
    detail: undefined,
  };
}
