/**
 * Storage, caches, accounts, clients, keys: everything that decides, opened over one configuration. The server builds its doors
 * over it (app.ts), the command line uses it as it is. Only these, this file and composition/, where each area of it is put
 * together, see core, storage and login methods together.
 */
import { composeApiSessions } from './composition/api-sessions.ts';
import { composeFactors } from './composition/factors.ts';
import { type InfrastructureOptions, openInfrastructure } from './composition/infrastructure.ts';
import { composeMail } from './composition/mail.ts';
import { composePeople } from './composition/people.ts';
import { composeProtocol } from './composition/protocol.ts';
import type { Config } from './config/config.ts';
import { createAdminKeys } from './core/clients/admin-keys.ts';
import type { NewKey } from './core/keys/keys.ts';
import { createSignIn } from './core/sign-in/sign-in.ts';

export type Core = Awaited<ReturnType<typeof openCore>>;

export interface CoreOptions extends InfrastructureOptions {
  /** An RSA key already being made, for a first start that should not wait for it. */
  readonly earlyKey?: Promise<NewKey> | undefined;
}

/** Throws `Unavailable` where the database does not answer, and a plain error, fit to be shown, for any other reason not to start. */
export async function openCore(config: Config, options: CoreOptions = {}) {
  const { infrastructure, closeLog } = await openInfrastructure(config, options);
  const { secrets, log, metrics, stores, redis, throttle, audit, changes, keys, activity } = infrastructure;
  const mail = composeMail(infrastructure);
  const factors = composeFactors(infrastructure, mail);
  const people = composePeople(infrastructure, mail, factors);
  const signIn = createSignIn({
    accounts: stores.accounts,
    identities: stores.identities,
    ...factors,
    knownBrowsers: people.knownBrowsers,
    activity,
    throttle,
    audit,
    log,
    metrics,
    limits: {
      account: config.throttle.accountLimit,
      address: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const apiSessions = composeApiSessions(infrastructure, { ...people, signIn });
  const protocol = composeProtocol(infrastructure, factors.factors, apiSessions.tokens);

  const close = async (): Promise<void> => {
    changes.close();
    await mail.mails.close();
    await activity.close();
    await infrastructure.unprotected.close();
    await infrastructure.refusals.close();
    await audit.close();
    redis?.close();
    await stores.close();
    await closeLog();
  };
  await Promise.all([changes.start(), keys.load(options.earlyKey)]).catch(async (error: unknown) => {
    // An open database would keep a command, which ends by itself, from ending.
    await close();
    throw error;
  });

  return {
    ...infrastructure,
    ...mail,
    ...factors,
    ...people,
    signIn,
    ...apiSessions,
    adminKeys: createAdminKeys(secrets.adminKeyDigests, infrastructure.credentials),
    ...protocol,
    close,
  };
}
