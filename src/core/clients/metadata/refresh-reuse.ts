/**
 * How long a refresh token that was replaced still returns its replacement, per client. Only public clients get a new
 * refresh token with each use. The replacement must be unused in any case (core/kernel/reuse-window).
 */
import type { ClientRecord } from '../../stores/clients.ts';

/** `strict`: never. `window`: for some seconds. `until-used`: until the replacement is used, at most half an hour. */
export const refreshReuseRules = ['strict', 'window', 'until-used'] as const;
type RefreshReuse = (typeof refreshReuseRules)[number];

/** Seconds. The longest window of a client. */
export const refreshReuseMax = 900;
const untilUsedSeconds = 1800;

/** Seconds, for clients without a rule of their own. */
interface RefreshReuseDefaults {
  readonly publicClients: number;
  /** For clients that registered themselves. */
  readonly dynamicClients: number;
}

const dynamicOrigins: readonly string[] = ['dynamic', 'metadata'];

/** Seconds; 0: the replaced token never returns its replacement. */
export function refreshReuseSeconds(
  client: Pick<ClientRecord, 'metadata' | 'origin'> | undefined,
  { publicClients, dynamicClients }: RefreshReuseDefaults,
): number {
  if (client === undefined) return 0;
  const { refresh_reuse: rule, refresh_reuse_seconds: seconds } = client.metadata;
  if (rule === 'strict') return 0;
  if (rule === 'until-used') return untilUsedSeconds;
  if (rule === 'window' && typeof seconds === 'number') return seconds;
  return dynamicOrigins.includes(client.origin) ? dynamicClients : publicClients;
}

/** `asked`: the requested members. Why they are refused, or undefined. */
export function refreshReuseMistake(
  asked: { readonly refresh_reuse?: RefreshReuse | undefined; readonly refresh_reuse_seconds?: number | undefined },
  isPublic: boolean,
): string | undefined {
  const { refresh_reuse: rule, refresh_reuse_seconds: seconds } = asked;
  if (seconds !== undefined && rule !== 'window') return 'refresh_reuse_seconds needs refresh_reuse window';
  if (rule !== undefined && !isPublic)
    return 'refresh_reuse is for public clients: a client that authenticates keeps its refresh token';
  return undefined;
}
