/**
 * The protocol: oidc-provider over the core, through its public API.
 *
 *   request -> http/front-door -> [body, scope] -> [unit of work] -> engine -> adapter -> core
 *
 * The engine reads its signing keys once, at construction; its state is in the adapter and in cookies. So a key
 * rotation builds a new provider (1 to 3 ms) and swaps it in; running requests finish on the old one. Discovery and the
 * JWKS change only with a swap: their first response is kept as ready bytes.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { JsonObject } from '../base/json.ts';
import type { Authorizer } from '../core/api-sessions/authorize.ts';
import type { Core } from '../core/core.ts';
import { bodyLimit, bodyOnce } from '../http/body.ts';
import { callerOf } from '../http/caller.ts';
import type { IsDeveloper } from '../http/developer.ts';
import { logFailure } from '../http/errors.ts';
import { compareHashedSecrets, engineMetadata, leaveLogoutsToOutbox } from './clients/clients.ts';
import { limitAttempts, type Sent, withClientId, withoutEmptySecret } from './clients/credentials.ts';
import { Unfetched, whileChecking } from './clients/engine-fetch.ts';
import { configuration, longestAddress, routes } from './configuration.ts';
import { type ProtocolDeps, protocolDeps } from './deps.ts';
import { noteDecided, takeUserCode } from './device/device-flow.ts';
import { plainUserCode, tellInterval } from './device/device-requests.ts';
import type { GrantEvent, ProtocolPages } from './ports.ts';
import { createRecorder, failureOf, keepFailures, noteFailure } from './refusals/record.ts';
import { unitOf } from './request-unit.ts';
import { createAuthorizer } from './requests/authorizer.ts';
import { answerOnBehalf, keepOnlyWhatIsGiven, pagesForPeople, startsOver } from './requests/on-behalf.ts';
import { createNonceHeader } from './requests/proofs.ts';
import { keepQuery } from './requests/redirect-query.ts';
import { matchRedirectUris } from './requests/redirect-uris.ts';
import { keepGrantsRegistered } from './requests/requested-scopes.ts';
import { authorizationQuery, deviceForm, pushedForm, tokenForm } from './requests/resources.ts';
import { restartAddress } from './requests/restart.ts';
import { createAgreed, createKeepHere } from './requests/unreviewed.ts';
import { deviceResumePath, resumePath } from './routes.ts';
import { aboutTokens } from './tokens/about-tokens.ts';
import { quickIntrospection } from './tokens/quick-introspection.ts';
import { acceptOldCodeName, refuseForeignGrants, shapeTokenAnswer, tellScopes } from './tokens/token-endpoint.ts';
import { createUserinfo } from './tokens/userinfo.ts';
import { unitOfWork } from './unit-of-work.ts';

interface ReadyDocument {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Protocol {
  /** The current provider, for the interaction pages. */
  provider(): Provider;
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Discovery and JWKS as ready bytes, by path, once the engine has answered them. A swap replaces the map. */
  readonly documents: ReadonlyMap<string, ReadyDocument>;
  /** Builds a provider with the current key ring. */
  swap(): void;
  /** Returns the engine's objection to client metadata, or undefined. `reviewed`: whether an operator reviewed it. */
  checkMetadata(metadata: JsonObject, id: string, reviewed?: boolean): Promise<string | undefined>;
  readonly authorizer: Authorizer;
}

/** The endpoints at which clients authenticate. */
const clientRoutes: ReadonlySet<string | undefined> = new Set([
  'token',
  'device_authorization',
  'introspection',
  'revocation',
  'pushed_authorization_request',
]);

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** The server and the command line pass different pages; the command line shows none. */
export function createProtocol(core: Core, ofServer: ProtocolPages, isDeveloper: IsDeveloper = () => false): Protocol {
  const parts = protocolDeps(core, ofServer, isDeveloper);
  const recorder = createRecorder(parts);
  const people = pagesForPeople(parts.pages, parts.log);
  const here = createKeepHere(createAgreed(parts.consents), people, recorder.record);
  const deps: ProtocolDeps = { ...parts, pages: here.pages };
  let current: { provider: Provider; handler: Handler; documents: Map<string, ReadyDocument> };

  function build(): typeof current {
    const provider = new Provider(deps.issuer, configuration(deps, deps.keys.ring(), recorder));
    const documents = new Map<string, ReadyDocument>();
    // The front door has replaced the request's host and scheme by the issuer's.
    provider.proxy = true;
    compareHashedSecrets(provider, deps.clients, deps.credentials);
    leaveLogoutsToOutbox(provider);
    matchRedirectUris(provider);
    refuseForeignGrants(provider);
    keepGrantsRegistered(provider);
    keepFailures(provider);
    provider.use(recorder.middleware);
    provider.use(frame(deps, documents));
    provider.use(only(isVisited, answerOnBehalf(provider.cookieName('session'))));
    provider.use(only(isVisited, keepQuery));
    provider.use(
      unitOfWork({
        engine: deps.engine,
        accounts: deps.accounts,
        restart: (request) => restartAddress(deps, request),
        onOutdatedLogin: (ctx, subject) => deps.events.outdated(subject, ctx.oidc.client?.clientId),
        reuseWindowOf: deps.reuseWindowOf,
        startsOver: (ctx, unit) => startsOver(deps.engine, ctx, unit),
        renderStale: deps.pages.stale,
        renderUnavailable: (ctx, error) => deps.pages.error(ctx, error, error),
        onReplay: (ctx, grantId) => deps.events.replayed(aboutGrant(ctx, grantId)),
        onShared: (ctx, shared) => deps.events.shared({ ...aboutGrant(ctx, ctx.oidc.entities.Grant?.jti), shared }),
      }),
    );
    provider.use(only(isVisited, keepOnlyWhatIsGiven));
    provider.use(only(isVisited, here.keepErrorsHere));
    provider.use(only(isVisited, here.keepLogoutHere));
    provider.use(only(isAboutTokens, aboutTokens(deps)));
    here.watch(provider);
    // A Provider is also a Koa application, which its types leave out.
    (provider as EventEmitter).on('error', logFailure(deps.log));
    provider.on('server_error', (ctx, error) =>
      deps.log.error({ err: error, route: ctx.oidc.route }, 'the engine failed'),
    );
    provider.on('end_session.success', (ctx) => {
      const { session, client, params } = ctx.oidc;
      // Also after "Stay signed in", which signs out of the application only.
      if (session?.accountId && params?.logout) deps.events.signedOut(session.accountId, client?.clientId);
    });
    return { provider, handler: provider.callback() as Handler, documents };
  }

  current = build();
  const userinfo = createUserinfo(deps);
  const introspected = quickIntrospection(deps);
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (isUserinfo(req)) await userinfo(req, res);
    else if (req.url !== routes.introspection || !(await introspected(req, res))) await current.handler(req, res);
  };

  const protocol = {
    provider: () => current.provider,
    handle,
    documents: current.documents,
    swap() {
      current = build();
      protocol.documents = current.documents;
    },
    async checkMetadata(metadata: JsonObject, id: string, reviewed = false) {
      try {
        // A placeholder for a generated secret: the engine requires one.
        await whileChecking({ reviewed }, () =>
          current.provider.Client.validate({
            client_secret: 'x'.repeat(43),
            ...engineMetadata(metadata),
            client_id: id,
          }),
        );
        return undefined;
      } catch (error) {
        if (error instanceof Error && error.cause instanceof Unfetched)
          return `sector_identifier_uri cannot be fetched. ${error.cause.message}`;
        if (error instanceof errors.OIDCProviderError) return error.error_description ?? error.message;
        throw error;
      }
    },
    authorizer: createAuthorizer({
      issuer: deps.issuer,
      handle,
      sessionValue: deps.sessionValue,
      events: deps.events,
    }),
  };
  return protocol;
}

function aboutGrant(ctx: KoaContextWithOIDC, grantId = ''): GrantEvent {
  const { client, params } = ctx.oidc;
  const subject = unitOf(ctx)?.reads.grants.get(grantId)?.subject;
  const kind = params?.grant_type === 'refresh_token' ? 'refresh_token' : 'code';
  return { grantId, kind, clientId: client?.clientId, subject, caller: callerOf(ctx) };
}

/** The front door accepts no other spelling of the path. */
function isUserinfo({ url = '' }: IncomingMessage): boolean {
  return url === routes.userinfo || url.startsWith(`${routes.userinfo}?`);
}

type Around = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

function only(isAbout: (path: string) => boolean, around: Around): Around {
  return (ctx, next) => (isAbout(ctx.path) ? around(ctx, next) : next());
}

/** Whether browsers visit this address of the engine; the others are for programs. */
function isVisited(path: string): boolean {
  return path.startsWith(routes.authorization) || path.startsWith(routes.end_session);
}

const isAboutTokens = (path: string): boolean => path === routes.introspection || path === routes.revocation;

/** Runs around the engine: limits the body, completes the token response, keeps the ready documents. */
function frame(deps: ProtocolDeps, documents: Map<string, ReadyDocument>) {
  const tellNonce = createNonceHeader(deps);
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (!(await isForEngine(deps, ctx))) return;
    await next();

    if (clientRoutes.has(ctx.oidc?.route)) await limitAttempts(ctx, deps.credentials);
    tellNonce(ctx);
    if (ctx.oidc?.route === 'device_authorization') {
      tellInterval(ctx, deps.deviceCodes.interval);
    } else if (ctx.oidc?.route === 'device_resume' || ctx.oidc?.route === 'code_verification') {
      noteDecided(ctx, deps.events);
    } else if (ctx.oidc?.route === 'pushed_authorization_request') {
      wordPushRefusal(ctx);
    } else if (ctx.oidc?.route === 'token') {
      if (ctx.status === 200) {
        noteIssued(deps, ctx);
        tellScopes(ctx);
        noteUnprotected(deps, ctx);
      }
      if (ctx.status !== 204) shapeTokenAnswer(ctx);
    } else if (ctx.oidc?.route === 'discovery' || ctx.oidc?.route === 'jwks') {
      keep(deps, ctx, documents);
    }
    if (ctx.status === 503) ctx.set('Retry-After', '1');
  };
}

/** Runs after the commit; the event is not durable. */
function noteIssued({ metrics, activity }: ProtocolDeps, { oidc }: KoaContextWithOIDC): void {
  const { client, account, params } = oidc;
  if (!client) return;
  metrics.count('tokens_issued_total', { grant_type: String(params?.grant_type), kind: 'access_token' });
  if (account) activity.used(account.accountId, client.clientId);
  if (client.made_by_itself === true) activity.clientUsed(client.clientId);
}

/** Prepares a request for the engine. Returns false if the request is already answered. */
async function isForEngine(deps: ProtocolDeps, ctx: KoaContextWithOIDC): Promise<boolean> {
  if (comesTwice(ctx.req, 'authorization')) return refuse(ctx, 400, 'the Authorization header comes twice');
  // The engine would take an empty proof for none, and issue a token that is not bound.
  if (ctx.req.headers.dpop === '') return refuse(ctx, 400, 'the DPoP header is empty', 'invalid_dpop_proof');
  if (ctx.method === 'POST' && ctx.is('application/x-www-form-urlencoded')) return takeForm(deps, ctx);
  if (ctx.method === 'POST' && goesOnByQuery(ctx)) return refuse(ctx, 400, 'a form is expected');
  if (ctx.path === routes.authorization) {
    const query = authorizationQuery(ctx.query, deps.apis);
    if (query !== ctx.query) ctx.query = query;
  } else if (ctx.path === routes.code_verification) {
    takeUserCode(ctx);
  } else if (resumePath.test(ctx.path) || deviceResumePath.test(ctx.path)) {
    // The interaction holds the request. Without an interaction, the engine would read this untrusted query.
    ctx.query = {};
  }
  return true;
}

async function takeForm(deps: ProtocolDeps, ctx: KoaContextWithOIDC): Promise<boolean> {
  const body = await bodyOnce(ctx.req).catch(() => null);
  if (body === null) return refuse(ctx, 400, 'the body ended early');
  if (body === undefined) {
    ctx.set('Connection', 'close');
    return refuse(ctx, 413, `the body is larger than ${bodyLimit} bytes`);
  }
  if (goesOnByQuery(ctx)) return goOnByQuery(ctx, body.toString('utf8'));
  // A stranger may store as much as by an authorization request in an address.
  if (ctx.path === routes.pushed_authorization_request && body.length > longestAddress && !provesItself(ctx, body))
    return refuse(ctx, 413, `the request is larger than ${longestAddress} bytes`);
  // The body is already read. The engine gets it as a string, so that repeated parameters are seen and refused.
  const { headers } = ctx.req;
  const form = await withoutEmptySecret({ headers, form: body.toString('utf8') }, deps.clients);
  Object.assign(ctx.req, { body: formFor(ctx.path, { headers, form }, deps.apis) });
  if (ctx.path === routes.code_verification) ctx.query = {};
  return true;
}

/** Whether the request has credentials; the engine checks them. */
function provesItself({ headers }: KoaContextWithOIDC, form: Buffer): boolean {
  return headers.authorization !== undefined || /(^|&)client_(secret|assertion)=/.test(form.toString('latin1'));
}

/** The form as the engine shall read it. */
function formFor(path: string, sent: Sent, apis: ProtocolDeps['apis']): string {
  const { form } = sent;
  switch (path) {
    case routes.token:
      return tokenForm(acceptOldCodeName(form), apis);
    case routes.pushed_authorization_request:
      return pushedForm(withClientId(sent), apis);
    case routes.device_authorization:
      return deviceForm(form, apis);
    case routes.code_verification:
      return plainUserCode(form);
    default:
      return form;
  }
}

const goesOnByQuery = ({ path }: KoaContextWithOIDC): boolean =>
  path === routes.authorization || path === routes.end_session;

/** Only reviewed clients: an unreviewed client needs PKCE whenever a browser carries the code. */
function noteUnprotected({ events }: ProtocolDeps, { oidc }: KoaContextWithOIDC): void {
  const { client, params } = oidc;
  const code = oidc.entities.AuthorizationCode;
  if (params?.grant_type !== 'authorization_code' || client?.reviewed !== true || !code) return;
  if (code.codeChallenge === undefined && code.nonce === undefined) events.unprotected(client.clientId);
}

/** Refuses a request before the engine sees it. */
function refuse(ctx: KoaContextWithOIDC, status: 400 | 413, description: string, error = 'invalid_request'): false {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { error, error_description: description };
  if (ctx.path === routes.token) shapeTokenAnswer(ctx);
  return false;
}

/** Node keeps the first of several such headers; a proxy in front may have checked another one (security.md G4). */
function comesTwice({ rawHeaders }: IncomingMessage, name: string): boolean {
  let times = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) times += 1;
  return times > 1;
}

/**
 * Redirects a posted request to the same request in the query: a browser sends no `SameSite=Lax` cookie with another
 * site's form (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout, section 2).
 */
function goOnByQuery(ctx: KoaContextWithOIDC, form: string): false {
  const parameters = [...new URLSearchParams(ctx.querystring), ...new URLSearchParams(form)];
  const address = `${ctx.path}?${new URLSearchParams(parameters)}`;
  if (address.length > longestAddress) return refuse(ctx, 413, `the request is larger than ${longestAddress} bytes`);
  ctx.status = 303;
  ctx.redirect(address);
  return false;
}

/** RFC 9126, section 2.1: a push with `request_uri` is an invalid request; the engine has another code for it. */
function wordPushRefusal(ctx: KoaContextWithOIDC): void {
  if (!(failureOf(ctx) instanceof errors.RequestUriNotSupported)) return;
  const error = new errors.InvalidRequest('request_uri must not be pushed');
  noteFailure(ctx, error);
  ctx.body = { error: error.error, error_description: error.error_description };
}

function keep(deps: ProtocolDeps, ctx: KoaContextWithOIDC, documents: Map<string, ReadyDocument>): void {
  if (ctx.status !== 200) return;
  const maxAge = deps.config.keys.jwksMaxAge;
  const headers = {
    'Content-Type': ctx.response.get('Content-Type') || 'application/json; charset=utf-8',
    'Cache-Control': `public, max-age=${maxAge}`,
    // Public documents are the same for every origin, so they need no `Vary` (security.md A13).
    'Access-Control-Allow-Origin': '*',
  };
  ctx.remove('Vary');
  ctx.set(headers);
  documents.set(ctx.path, { body: Buffer.from(JSON.stringify(ctx.body)), headers });
}
