/** Writes docs/cli.md from the table of commands. `--check` writes nothing and fails if the file differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, calledAs } from './command.ts';
import { commands, everyCommand } from './commands.ts';
import { optionsOf, sentenceOf } from './program.ts';

const path = join(import.meta.dirname, '../../docs/cli.md');

export function reference(): string {
  const overview = everyCommand().map(
    ({ name, command }) => `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(command.sentence)} |`,
  );
  const sections = commands.flatMap((entry) =>
    'commands' in entry
      ? [
          `## ${entry.name}`,
          entry.sentence,
          ...entry.commands.map((command) => section('###', `${entry.name} ${command.name}`, command)),
        ]
      : [section('##', entry.name, entry)],
  );
  return `${[introduction, ['| command | what it does |', '|---|---|', ...overview].join('\n'), ...sections].join('\n\n')}\n`;
}

const introduction = `# Command line

<!-- Generated from src/cli/commands by \`node src/cli/reference.ts\`. -->

\`${calledAs} <command>\` in the project folder (\`-s\` hides npm's own lines from programs); in a container
\`node src/cli/main.ts <command>\`. \`--help\` after any command explains it.

It uses the same [settings](settings.md) and the same database as the server, also while a server runs. Every server
applies a change within a second, with Redis or without. Changes to applications, APIs, accounts and keys are in the [audit trail](audit.md) with \`via: "cli"\`.

- **Results** go to standard output, everything else (questions, progress, warnings, problems) to standard error.
- **\`--json\`** prints one JSON value. A problem is then one line of JSON on standard error, with \`error\` (a code for programs)
  and \`message\`. Times are seconds since the epoch. Applications have the members of RFC 7591.
- **Only \`serve\` and \`migrate up\` create a database.** If there is none, the other commands report where they looked, and exit with 1.
- **Exit codes**: 0 done, 1 refused or failed, 2 usage error.
- **Secrets** are shown once, when they are created. Commands ask for passwords on the terminal without echo, or read them
  from standard input. Passwords are never arguments.
- On a terminal, commands that destroy something ask first; \`--yes\` skips the question. Without a terminal they do not ask.`;

function section(heading: string, name: string, command: Command): string {
  const { args = [], details, examples } = command;
  const options = optionsOf(command);
  const usage = [calledAs, name, ...(options.length > 0 ? ['[options]'] : []), ...args.map((arg) => arg.name)].join(
    ' ',
  );
  const rows = [
    ...args.map((arg) => `| \`${arg.name}\` | ${cell(arg.sentence)} |`),
    ...options.map((option) => `| \`${option.flags}\` | ${cell(sentenceOf(option))} |`),
  ];
  return [
    `${heading} ${name}`,
    command.sentence,
    ...(details === undefined ? [] : [details]),
    `    ${usage}`,
    ...(rows.length > 0 ? [['| | |', '|---|---|', ...rows].join('\n')] : []),
    ['```sh', ...examples.map((example) => `${calledAs} ${example}`), '```'].join('\n'),
  ].join('\n\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, reference());
  else if (readFileSync(path, 'utf8') !== reference()) {
    console.error('docs/cli.md does not match src/cli/commands. Run: node src/cli/reference.ts');
    process.exitCode = 1;
  }
}
