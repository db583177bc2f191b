/** Writes docs/refusals.md from the list of checks. `--check` writes nothing and fails if the file differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checks } from './checks.ts';

const path = join(import.meta.dirname, '../../../docs/refusals.md');

function reference(): string {
  const rows = Object.entries(checks).map(
    ([name, { source, says, advice }]) => `| \`${name}\` | ${says} | ${advice} | ${source} |`,
  );
  return `${[introduction, '| check | what it says | what to do | rule |', '|---|---|---|---|', ...rows].join('\n')}\n`;
}

const introduction = `# Why was I refused?

<!-- Generated from src/core/refusals/checks.ts by \`node src/core/refusals/reference.ts\`. -->

Every refused request leaves a record. It names the check that failed, what was expected and received, the nearest value
that would have passed, and what to do. The response carries its reference.

| where | how it carries the reference |
|---|---|
| JSON of the OAuth endpoints, and errors in redirects | \`error_uri\` (RFC 6749, sections 4.1.2.1 and 5.2): \`ISSUER/why/REFERENCE\` |
| pages | the page shows it |
| the OAuth endpoints, pages and the gateway | a header: \`Link: <ISSUER/why/REFERENCE>; rel="help"\` |
| the JSON surfaces | the header \`X-Request-Id\` |

## Who sees what

- **In development**, on the server's own machine, the response says everything: \`check\`, \`says\`, \`source\`, \`expected\`, \`received\`,
  \`nearest\`, \`advice\`. An error page shows the same.
- **In production** the response says what the standard prescribes. \`/why/REFERENCE\` shows everyone the rule, without
  values.
- **The owner of the application and administrators**, signed in, see all of it at \`/why/REFERENCE\`.
- **Operators** find it in the log (\`a request was refused\`) and by command:

\`\`\`sh
npm run -s cli -- why 3f2b8c1d-77aa
npm run -s cli -- why --client bookshelf
\`\`\`

The metric \`gatehouse_refusals_total\` counts all of them by endpoint and check.

## Bounds

Records are kept for 30 days. There are at most 500 of one client, 1,000 of all requests that name no registered
client, and 20,000 in total. One process records at most 20 a second, and 5 a minute of one client, network, endpoint and check.
Further ones raise the count of the last record, and their responses name it. If there are too many records, the
network with the most records loses its oldest.

Secrets, codes, tokens, verifiers and passwords are never recorded: a record describes only their length and
characters. A record never delays a response. If the database is down, the record is dropped and counted in
\`gatehouse_refusals_dropped_total\`.

## The checks
`;

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, reference());
  else if (readFileSync(path, 'utf8') !== reference()) {
    process.stderr.write(
      'docs/refusals.md does not match the list of checks. Run: node src/core/refusals/reference.ts\n',
    );
    process.exitCode = 1;
  }
}
