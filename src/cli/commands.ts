/** All commands. Help, documentation and tests read this list. */
import type { Command, Noun } from './command.ts';
import { accounts } from './commands/accounts.ts';
import { apis } from './commands/apis.ts';
import { audit } from './commands/audit.ts';
import { clientSecrets } from './commands/client-secrets.ts';
import { clientTokens } from './commands/client-tokens.ts';
import { clients } from './commands/clients.ts';
import { deliveries } from './commands/deliveries.ts';
import { groups } from './commands/groups.ts';
import { keys } from './commands/keys.ts';
import { migrate } from './commands/migrate.ts';
import { registrationTokens } from './commands/registration-tokens.ts';
import { serve } from './commands/serve.ts';
import { sessions } from './commands/sessions.ts';
import { setup } from './commands/setup.ts';
import { why } from './commands/why.ts';

export const commands: readonly (Command | Noun)[] = [
  serve,
  migrate,
  clients,
  clientSecrets,
  clientTokens,
  registrationTokens,
  apis,
  accounts,
  groups,
  sessions,
  deliveries,
  keys,
  setup,
  audit,
  why,
];

/** Every command with its whole name, such as `clients register`. */
export function everyCommand(): { name: string; command: Command }[] {
  return commands.flatMap((entry) =>
    'commands' in entry
      ? entry.commands.map((command) => ({ name: `${entry.name} ${command.name}`, command }))
      : [{ name: entry.name, command: entry }],
  );
}
