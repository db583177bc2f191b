/** Opens core with its adapters from the settings. The server, the command line and the tests of core start here. */
import { createLog, type LogLevel } from './base/log.ts';
import { createMetrics } from './base/metrics.ts';
import type { Config } from './config/config.ts';
import { openSecrets } from './config/secrets.ts';
import { createCore } from './core/core.ts';
import type { NewKey } from './core/keys/keys.ts';
import { openLoginMethods } from './login/open.ts';
import { createWording } from './mail/letters.ts';
import { openMail } from './mail/open.ts';
import type { Network } from './outgoing/network.ts';
import { createOutgoing } from './outgoing/outgoing.ts';
import { openStorage } from './storage/open.ts';
import { requireFile } from './storage/sql/open.ts';

export type OpenCore = Awaited<ReturnType<typeof openCore>>;

interface CoreOptions {
  /** Destination of log lines instead of standard output. */
  readonly logTo?: { write(line: string): void } | undefined;
  /** Overrides `LOG_LEVEL`. */
  readonly logLevel?: LogLevel;
  /** False: does not create an admin key, so that the server's start can create and show it. */
  readonly makeAdminKey?: boolean;
  /** True: throws `NoDatabase` if the database does not exist, before anything is created. */
  readonly mustExist?: boolean;
  /** Names and connections of outgoing requests, instead of this machine's. */
  readonly network?: Network | undefined;
  /** An RSA key that is already being generated, so that a first start does not wait for it. */
  readonly earlyKey?: Promise<NewKey> | undefined;
}

/** Throws `Unavailable` if the database does not answer, and an error with a printable message if core cannot start. */
export async function openCore(config: Config, options: CoreOptions = {}) {
  const adapters = await openAdapters(config, options);
  const core = await createCore(adapters, options.earlyKey);
  return { ...core, print: adapters.print, mailbox: adapters.mailbox };
}

/** Opens the adapters that core needs, and what only the server's terminal and development pages use. */
export async function openAdapters(config: Config, options: CoreOptions = {}) {
  const { mustExist = false } = options;
  if (mustExist && config.database.kind === 'sqlite') requireFile(config.database.file);
  const secrets = openSecrets(config, options.makeAdminKey);
  const level = options.logLevel ?? config.logLevel;
  const format = config.production ? 'json' : 'readable';
  const { log, print, close: closeLog } = createLog({ level, format, to: options.logTo });
  const metrics = createMetrics();
  const { close: closeStorage, ...storage } = await openStorage(config, { log, metrics, secrets, mustExist });
  return {
    config,
    secrets,
    log,
    print,
    metrics,
    ...storage,
    ...openLoginMethods(config, log),
    ...openMail(config.mail, print),
    outgoing: createOutgoing({ config, log, metrics, network: options.network }),
    word: createWording({
      ...config,
      look: async () => (await import('./pages/kit/mail/mail-look.ts')).openMailLook(config),
    }),
    async close(): Promise<void> {
      await closeStorage();
      await closeLog();
    },
  };
}
