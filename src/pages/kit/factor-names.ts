/** First names for new passkeys and apps, from the browser. Proper nouns, which are the same in every language. */
import type { Context } from 'koa';
import { programOf } from '../../core/kernel/program.ts';

/**
 * `Windows · Chrome` for a passkey of this browser. Empty for one on another device, such as a security key: the page
 * then says "Passkey". `credential`: the JSON from the browser, which is not checked here.
 */
export function passkeyName(ctx: Context, credential: string): string {
  if (attachmentIn(credential) === 'cross-platform') return '';
  const { program, system } = programOf(ctx.get('User-Agent'));
  return [system, program].filter(Boolean).join(' · ');
}

/** An app is most likely on the phone that shows the page. */
export function appName(ctx: Context): string {
  const { system = '' } = programOf(ctx.get('User-Agent'));
  return ['iPhone', 'iPad', 'Android'].includes(system) ? system : '';
}

function attachmentIn(credential: string): unknown {
  try {
    return (JSON.parse(credential) as { authenticatorAttachment?: unknown } | null)?.authenticatorAttachment;
  } catch {
    return undefined;
  }
}
