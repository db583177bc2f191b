/**
 * Handles errors outside the engine. `Refusal` and `Unavailable` become responses; any other error is logged and
 * becomes a 500 without details. Programs get JSON, browsers a page.
 */
import type { Context, Next } from 'koa';
import { Refusal, Unavailable } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { callerOf } from './caller.ts';
import { askedOf, type NoteRefusal } from './note-refusal.ts';
import { whyAddress } from './why-link.ts';

export interface ErrorPages {
  /** Shows the page for `status` on this context. */
  error(
    ctx: Context,
    status: number,
    more?: { retryAfterSeconds?: number | undefined; reference?: string | undefined },
  ): void;
  notFound(ctx: Context): void;
}

export function errorHandler(deps: { log: Logger; pages: ErrorPages; noteRefusal: NoteRefusal; issuer: string }) {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
      if (ctx.status !== 404 || ctx.body) return;
      if (wantsPage(ctx)) deps.pages.notFound(ctx);
      else json(ctx, 404, 'not_found', 'there is nothing at this address');
    } catch (error) {
      const failure = wordsFor(error, deps.log, ctx);
      const { status, code, message, headers } = failure;
      ctx.set(headers);
      const endpoint = isOperations(ctx.path) ? 'operations' : 'page';
      const reference = status < 500 ? deps.noteRefusal(ctx.res, { ...refusedOf(ctx, failure), endpoint }) : undefined;
      const retryAfterSeconds = Number(headers['Retry-After']) || undefined;
      if (!isMachine(ctx.path) && wantsPage(ctx)) deps.pages.error(ctx, status, { retryAfterSeconds, reference });
      else
        json(
          ctx,
          status,
          code,
          message,
          reference === undefined ? {} : { error_uri: whyAddress(deps.issuer, reference) },
        );
    }
  };
}

const isOperations = (path: string): boolean => path === '/metrics' || path === '/healthz' || path === '/readyz';

/** Only programs read these paths, so they get JSON, whatever their library accepts by default. */
const isMachine = (path: string): boolean => isOperations(path) || path === '/openapi.json';

/** The members of a refusal's record: the text of the response, and the request. */
export function refusedOf(ctx: Context, { status, code, message }: { status: number; code: string; message: string }) {
  return { status, code, caller: callerOf(ctx), expected: message, received: askedOf(ctx.req) };
}

/** A browser accepts HTML by name. A program that accepts anything, or sends no `Accept`, gets JSON. */
export function wantsPage(ctx: Context): boolean {
  return ctx.accepts('json', 'html') === 'html';
}

function json(ctx: Context, status: number, error: string, description: string, more: object = {}): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { error, error_description: description, ...more };
}

export function wordsFor(
  error: unknown,
  log: Logger,
  ctx: Context,
): { status: number; code: string; message: string; headers: Record<string, string> } {
  if (error instanceof Refusal) {
    return { status: error.status, code: error.code, message: error.message, headers: { ...error.headers } };
  }
  const { requestId } = callerOf(ctx);
  const away = unavailable(error);
  if (away) {
    log.warn({ err: away, requestId }, 'a dependency is unavailable');
    return {
      status: 503,
      code: 'temporarily_unavailable',
      message: 'the server cannot answer right now, try again in a moment',
      headers: { 'Retry-After': String(away.retryAfter) },
    };
  }
  log.error({ err: error, requestId, path: ctx.path }, 'a request failed');
  return {
    status: 500,
    code: 'server_error',
    message: `something went wrong here (${requestId})`,
    headers: {},
  };
}

/**
 * For the `error` event of a framework. A client that disconnects or sends invalid HTTP is no failure of this server,
 * and must not fill the log.
 */
export function logFailure(log: Logger): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    const connection = /^(ECONN(RESET|ABORTED)|EPIPE|HPE_|ERR_STREAM_|ERR_HTTP_REQUEST_TIMEOUT)/.test(error.code ?? '');
    if (connection) log.debug({ err: error }, 'a connection broke');
    else log.error({ err: error }, 'a request failed');
  };
}

/** Finds the storage's error, also inside an error of the engine. */
function unavailable(error: unknown): Unavailable | undefined {
  if (error instanceof Unavailable) return error;
  return error instanceof Error && error.cause instanceof Unavailable ? error.cause : undefined;
}
