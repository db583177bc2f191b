/** Writes docs/cli.md from the table of commands. With `--check` it writes nothing and fails when the file says something else. */
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

\`${calledAs} <command>\` in the project's folder (\`-s\` keeps npm's own lines out of the result); in a container
\`node src/cli/main.ts <command>\`. \`--help\` behind any command explains it.

It takes the same [settings](settings.md) as the server and works on the same database, also beside a running server: every server
knows of a change within a second, with Redis and without. Changes to applications, APIs, accounts and keys are in the [audit trail](audit.md) with \`via: "cli"\`.

- **Results** are on standard output, everything else (questions, progress, warnings, problems) on standard error.
- **\`--json\`** prints one JSON value. A problem is then one line of JSON on standard error, with \`error\` (a word for programs)
  and \`message\`. Times are seconds since the epoch. Applications come in the words of RFC 7591.
- **No command makes a database**, but \`serve\` and \`migrate up\`. Where there is none, the others say where they looked, and end with 1.
- **Exit codes**: 0 done, 1 refused or failed, 2 typed wrongly.
- **Secrets** are shown once, when they are made, and marked so. Passwords are asked for on the terminal without being shown, or read
  from standard input; they are never arguments.
- On a terminal, commands that destroy something ask first; \`--yes\` answers. Without a terminal they do not ask.`;

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
