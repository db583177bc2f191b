/** `accounts import`: imports accounts of another system from JSON lines. account-line-shape.ts defines a line. */

import type { JsonObject } from '../../base/json.ts';
import type { ImportForm, ImportOutcome } from '../../core/accounts/account-import.ts';
import { fieldNames } from '../accounts/account-fields.ts';
import { type Command, done, refused, via } from '../command.ts';
import { readJsonLines } from '../json-lines.ts';
import { counted } from '../text.ts';

/** Accounts per transaction. */
const batchSize = 100;
/** Refused lines that are listed; the rest is only counted. */
const listedMax = 200;

interface Refused {
  readonly line: number;
  readonly username: string | undefined;
  readonly message: string;
}

export const importAccounts: Command = {
  name: 'import',
  sentence: 'Import accounts from another system, with the password hashes of that system.',
  args: [{ name: '<file>', sentence: 'JSON lines, one account per line; `-` is standard input.' }],
  options: [{ flags: '--dry-run', sentence: 'Check every line and change nothing.' }],
  details: `A line is a JSON object with a username. All other members are optional: first_name, last_name, email, verified,
password_hash, disabled, admin, picture, locale, zoneinfo, phone_number, phone_number_verified, address.
Hashes may be bcrypt, PBKDF2, scrypt and Argon2; each is replaced at the first sign-in of the account. See docs/importing.md.
Accounts that exist are left as they are, so an import that was interrupted is run again. Exit code 1 where a line was refused.`,
  examples: ['accounts import people.jsonl --dry-run', 'accounts import people.jsonl'],
  async run(call) {
    const [path = ''] = call.args;
    const dryRun = call.flag('dry-run') === true;
    const core = await call.core();
    const { readAccountLine } = await import('../accounts/account-line-shape.ts');
    const into = core.accountImports.begin({ dryRun, caller: via });

    const counts = { imported: 0, existing: 0, refused: 0 };
    const listed: Refused[] = [];
    const refuse = (line: number, message: string, username?: string): void => {
      counts.refused += 1;
      if (listed.length < listedMax) listed.push({ line, username, message });
    };
    let waiting: { readonly line: number; readonly form: ImportForm }[] = [];
    const flush = async (): Promise<void> => {
      const batch = waiting;
      waiting = [];
      const outcomes = await into.add(batch.map(({ form }) => form));
      for (const [at, { line, form }] of batch.entries()) {
        const outcome = outcomes[at];
        if (outcome?.outcome === 'imported') counts.imported += 1;
        else if (outcome?.outcome === 'exists') counts.existing += 1;
        else if (outcome !== undefined) refuse(line, sentenceOf(outcome), form.username);
      }
    };

    await call.terminal.progress(dryRun ? 'Checking accounts' : 'Importing accounts', async (step) => {
      for await (const read of readJsonLines(path, call.terminal)) {
        const parsed = 'problem' in read ? read : readAccountLine(read.value);
        if ('problem' in parsed) refuse(read.line, parsed.problem);
        else waiting.push({ line: read.line, form: parsed.form });
        if (waiting.length < batchSize) continue;
        await flush();
        step(read.line);
      }
      await flush();
    });

    const result: JsonObject = { ...counts, dryRun };
    const imported = `${counted(counts.imported, 'account', 'accounts')} ${dryRun ? 'would be' : 'were'} imported`;
    const summary = `${imported}, ${counts.existing} existed already, ${counted(counts.refused, 'line was', 'lines were')} refused.`;
    if (counts.refused === 0) return done(result, summary);
    listed.sort((a, b) => a.line - b.line);
    const lines = listed.map(({ line, username, message }) => {
      return `  line ${line}${username === undefined ? '' : ` (${JSON.stringify(username)})`}: ${message}`;
    });
    if (counts.refused > listed.length) lines.push(`  and ${counts.refused - listed.length} more`);
    return refused('lines_refused', [summary, ...lines].join('\n'), {
      ...result,
      lines: listed.map(({ line, username = null, message }) => ({ line, username, message })),
    });
  },
};

function sentenceOf(outcome: Exclude<ImportOutcome, { outcome: 'imported' | 'exists' }>): string {
  switch (outcome.outcome) {
    case 'taken':
      return outcome.field === 'username'
        ? 'The username is the same as that of an earlier line, or too similar.'
        : 'The e-mail address belongs to another account.';
    case 'invalid':
      return `${fieldNames[outcome.field]} was refused. ${outcome.sentence}`;
    case 'unusable-hash':
      return `The password hash was refused. ${outcome.sentence}`;
  }
}
