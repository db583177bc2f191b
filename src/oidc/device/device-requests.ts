/** Changes to the requests and responses of the device flow, around the engine. */
import { parse, stringify } from 'node:querystring';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { userCodeOf } from '../../core/device-codes/user-code.ts';

/** The engine knows fewer separators than people type. */
export function plainUserCode(form: string): string {
  const sent = parse(form);
  const typed = sent.user_code;
  const code = typeof typed === 'string' ? userCodeOf(typed) : undefined;
  return code === undefined ? form : stringify({ ...sent, user_code: code });
}

/** RFC 8628, section 3.2: the engine leaves `interval` out. */
export function tellInterval(ctx: KoaContextWithOIDC, interval: number): void {
  if (ctx.status === 200) Object.assign(ctx.body as object, { interval });
}
