/** Which suite runs each shell block of the pages, and which commands are not run, with the reason. */
import { ourArguments } from './mistakes.ts';
import { pages, type Shown, shownIn } from './shell.ts';

type Entry<T> = readonly [T, string];

/** Blocks that a suite runs as they stand, by page and first line. */
export const runElsewhere: readonly Entry<RegExp>[] = [
  [/^docs\/first-flow\.md: /, 'test/cli/first-flow.test.ts'],
  [/^docs\/agents\.md: /, 'test/cli/agents-page.test.ts'],
  [/^docs\/device-flow\.md: ISSUER=/, 'test/cli/device-flow.test.ts'],
  [/^docs\/backup\.md: # (Back up|Restore): /, 'test/ops/backup.test.ts'],
  [/^docs\/surfaces\/.*: # Walk-through: /, 'test/api/walkthroughs.test.ts'],
];

/** Commands that are only parsed. Their programs, scripts, options, files and settings are checked all the same. */
export const notRun: readonly Entry<RegExp>[] = [
  [/^npm ci$/, '.ci/run begins with it, in a fresh clone.'],
  [/^npm start$/, 'It runs until it is stopped: test/http/npm-start.test.ts starts and stops it.'],
  [/^npm (test|run test:all|run test:unit -- token)$/, 'It is what runs this test.'],
  [/^\.ci\/run$/, 'It runs this test.'],
  [
    /^npm run (faults|hostile|clients|mcp|topology|dockerfile|without-surfaces|without-methods|structure|planted)\b/,
    '.ci/run runs it.',
  ],
  [
    /^(npm run (bench|bench:statements|bench:pages|timing)|node scripts\/under-load\.mjs)\b/,
    'It takes minutes, and measures the machine too.',
  ],
  [/^npm run refresh-simulation\b/, 'test/oidc/refresh-simulation.test.ts runs the same simulation.'],
  [/^eval \$\(scripts\/services\.sh env\)$/, '.ci/run starts the services, and tests share them.'],
  [/^docker /, 'It needs Docker: npm run dockerfile and npm run topology follow the same files.'],
  [/^cp deploy\/\.env\.example /, 'npm run topology reads the same file.'],
  [/^npm run -s sbom$/, 'test/scripts/release.test.ts runs it.'],
  [
    /^(curl|grep|sha256sum) .*(nodejs|linux-x64|-c$)/,
    'It needs the network: test/deploy/ci.test.ts compares the hash in the page.',
  ],
  [/^(tar|cmp) .*linux-x64/, 'It reads what the line before has fetched.'],
  [/^deploy\/make-secrets\.sh$/, 'npm run topology runs it.'],
];

/** Commands of a page that no suite runs and that are not listed above. */
export function notCovered(page: string, text?: string): string[] {
  return fenced(page, text)
    .filter((shown) => !isRun(shown) && !notRun.some(([pattern]) => pattern.test(shown.words.join(' '))))
    .map(
      ({ where, text: line }) =>
        `${where}: \`${line}\` is not run. Run it in a suite, or list it in documented/not-run.ts.`,
    );
}

/** Entries of both lists that no page needs any more. */
export function unusedEntries(): string[] {
  const all = pages().flatMap((page) => fenced(page));
  const unused = (list: readonly Entry<RegExp>[], textOf: (shown: Shown) => string) =>
    list.filter(([pattern]) => !all.some((shown) => pattern.test(textOf(shown)))).map(([pattern]) => String(pattern));
  return [...unused(runElsewhere, blockOf), ...unused(notRun, ({ words }) => words.join(' '))];
}

/** Indented lines are the synopses of docs/cli.md. */
function fenced(page: string, text?: string): Shown[] {
  return shownIn(page, text, /./).filter(({ whole, block }) => whole && block !== '');
}

const blockOf = ({ where, block }: Shown): string => `${where.replace(/:\d+$/, '')}: ${block}`;

function isRun(shown: Shown): boolean {
  // The rest of the command line is run by documented-runs.test.ts.
  return ourArguments(shown.words) !== undefined || runElsewhere.some(([pattern]) => pattern.test(blockOf(shown)));
}
