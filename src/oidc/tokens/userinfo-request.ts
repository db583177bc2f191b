/**
 * The access token of a userinfo request: in the header or a posted form, never in the query (RFC 6750, section 2). A
 * bound token is in the header (RFC 9449, section 7.1).
 */
import { parse } from 'node:querystring';
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { ShownProof } from '../../core/tokens/possession.ts';
import { bodyLimit, readBody } from '../../http/body.ts';
import { type ProofAnswer, shownProof } from '../../http/dpop.ts';

interface UserinfoRequest {
  /** Undefined if no token was sent. */
  readonly token: string | undefined;
  /** Undefined: the token was sent as a Bearer token. */
  readonly possession: ShownProof | undefined;
  /** A subset of the token's scopes. */
  readonly scope: string | undefined;
}

export class UserinfoRefusal extends Refusal {
  readonly check: CheckName;
  /** The required scope, for `insufficient_scope`. */
  readonly scope: string | undefined;
  /** What was wrong with a proof. */
  readonly facts: ProofAnswer['facts'];

  constructor(
    code: Refusal['code'],
    words: string,
    check: CheckName,
    { scope, facts = {} }: { readonly scope?: string; readonly facts?: ProofAnswer['facts'] } = {},
  ) {
    super(code, words, code === 'payload_too_large' ? { Connection: 'close' } : {});
    this.check = check;
    this.scope = scope;
    this.facts = facts;
  }
}

type Parameters = Readonly<Record<string, string | string[] | undefined>>;

/** `address`: the endpoint as the outside sees it. Throws `Refusal`. */
export async function readUserinfoRequest(ctx: Context, address: string): Promise<UserinfoRequest> {
  const [header = '', ...more] = ctx.req.headersDistinct.authorization ?? [];
  if (more.length > 0) throw refusal('the Authorization header comes twice', 'header_repeated');
  const form = ctx.method === 'POST' ? await formOf(ctx) : {};
  const parameters = ctx.method === 'POST' ? form : ctx.query;
  for (const name of ['scope', 'access_token']) {
    if (Array.isArray(parameters[name]))
      throw refusal(`'${name}' parameter must not be provided twice`, 'parameter_repeated');
  }
  const { access_token: inQuery } = ctx.query;
  const sent = [form.access_token, header, inQuery].filter(Boolean);
  if (sent.length > 1) throw refusal('access token must only be provided using one mechanism', 'token_malformed');
  if (inQuery) throw refusal('access tokens must not be provided via query parameter', 'token_malformed');
  const scope = textOf(parameters.scope);
  if (header === '') return { token: textOf(form.access_token), possession: undefined, scope };
  const { scheme, token } = tokenIn(header);
  return { token, possession: scheme === 'dpop' ? shownProof(ctx.req, [address]) : undefined, scope };
}

function tokenIn(header: string): { scheme: string; token: string } {
  const [word = '', token, ...more] = header.split(' ');
  if (token === undefined || more.length > 0)
    throw refusal('invalid authorization header value format', 'token_malformed');
  const scheme = word.toLowerCase();
  if (scheme !== 'bearer' && scheme !== 'dpop')
    throw refusal('authorization header scheme must be `Bearer` or `DPoP`', 'token_malformed');
  return { scheme, token };
}

async function formOf(ctx: Context): Promise<Parameters> {
  const type = 'application/x-www-form-urlencoded';
  if (!ctx.is(type)) {
    if (ctx.get('Content-Type') === '') return {};
    throw refusal(`only ${type} content-type bodies are supported on POST ${ctx.path}`, 'media_type');
  }
  const body = await readBody(ctx.req).catch(() => {
    throw refusal('the body ended early', 'body_malformed');
  });
  if (body === undefined)
    throw new UserinfoRefusal('payload_too_large', `the body is larger than ${bodyLimit} bytes`, 'body_too_large');
  return parse(body.toString('utf8'));
}

const textOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const refusal = (words: string, check: CheckName) => new UserinfoRefusal('invalid_request', words, check);
