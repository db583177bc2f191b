/** Opens the login methods by the settings: password hashing, code methods, upstream providers. */
import type { Logger } from '../base/log.ts';
import type { ReadOptions, UpstreamProvider } from '../core/upstream/upstream-provider.ts';
import { createBreachedPasswords } from './breach/breach.ts';
import { codeMethods, loginMethods } from './methods.ts';
import { recoveryCodeFormat } from './recovery-code/recovery-code.ts';

interface LoginSettings {
  readonly issuer: string;
  readonly brandName: string;
  readonly password: {
    readonly breachedUrl: string | undefined;
    /** KiB. */
    readonly hashMemory: number;
    readonly hashTime: number;
    readonly queue: number;
  };
}

export function openLoginMethods(config: LoginSettings, log: Logger) {
  const { breachedUrl, hashMemory, hashTime, queue } = config.password;
  return {
    hasher: loginMethods.password({ memoryKiB: hashMemory, timeCost: hashTime, queue }),
    breached: breachedUrl === undefined ? undefined : createBreachedPasswords({ url: breachedUrl }, log),
    passkeyMethod: loginMethods.passkey?.(config),
    codes: codeMethods,
    recoveryCodeFormat,
  };
}

interface ProviderSettings {
  /** The file that names them. */
  readonly upstreams: string | undefined;
  readonly development: boolean;
}

/** Throws with all mistakes of the file. It may name secrets, so only a server that starts opens it. */
export async function openProviders(
  { upstreams, development }: ProviderSettings,
  environment: ReadOptions['environment'],
): Promise<readonly UpstreamProvider[]> {
  if (upstreams === undefined || !loginMethods.upstream) return [];
  return loginMethods.upstream.open(upstreams, { development, environment });
}

/** What is wrong with the file, for a terminal. */
export async function mistakesInProviders(file: string, options: ReadOptions): Promise<string | undefined> {
  if (!loginMethods.upstream) return 'This server has no sign-in through other providers.';
  return loginMethods.upstream.mistakesIn(file, options);
}
