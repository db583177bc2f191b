/** Every whole command line in README.md and docs/ is run, over scratch folders that hold what its reader has. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Answered } from './documented/many.ts';
import { ourArguments } from './documented/mistakes.ts';
import { pages, type Shown, shownIn } from './documented/shell.ts';
import { buildWorld, type Documented, typedPassword } from './documented/world.ts';

/** These make what the seeded folder holds already. */
const startsEmpty = /^(accounts (create|import)|apis add|groups add|migrate|setup) ?/;
/** These ask for a password on a terminal; here it is piped in, as they say. */
const asksForPassword = /^accounts (create|set-password)\b(?!.*--(no-password|password-stdin))/;
const readsPassword = /--password-stdin/;
/** Not run: a step of a longer script, which test/cli/first-flow.test.ts runs as a whole. */
const needsVariables = /\$[A-Z]/;
/** Not run: it goes on until it is stopped. `npm start` in test/http/npm-start.test.ts is the same. */
const goesOn = /^serve\b/;
/**
 * They speak of what only their reader has (a token, a session, keys of yesterday): here the right answer is this one.
 */
const ofTheReader: readonly (readonly [RegExp, string])[] = [
  [/^client-tokens revoke bookshelf \w+$/, 'has no token'],
  [/^registration-tokens revoke \w+$/, 'There is no initial access token'],
  [/^client-secrets remove bookshelf \w+$/, 'has no secret'],
  [/^clients update bookshelf .*--if-version 3$/, 'it has version 1, not 3'],
  [/^sessions end (-- )?alice \S+$/, 'has no live session'],
  [/^deliveries retry \d+$/, 'There is no waiting or failed message'],
  [/^why \w+-\w+$/, 'There is no record under the reference'],
  [/^accounts (show|update) id:42 /, 'There is no account id:42'],
  [/^clients pin \S+ --release$/, 'No copy of a document is pinned'],
  [/^keys rotate$/, 'have not been published long enough'],
];

let world: Documented;
beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.close());

interface Line {
  readonly where: string;
  readonly args: readonly string[];
  readonly line: string;
}

function lines(): Line[] {
  const all = pages()
    .flatMap((page) => shownIn(page))
    .filter((shown) => shown.whole && !shown.text.includes('[options]'))
    .flatMap((shown: Shown) => {
      const args = ourArguments(shown.words);
      return args === undefined || args.length === 0 || args.includes('…')
        ? []
        : [{ where: shown.where, args, line: args.join(' ') }];
    });
  return all.filter(({ line }, index) => all.findIndex((other) => other.line === line) === index);
}

async function answers(all: readonly Line[]): Promise<Map<Line, Answered>> {
  const folderFor = ({ line }: Line) => world.folder(startsEmpty.test(line) ? 'empty' : 'seeded');
  const typed = all.filter(({ line }) => readsPassword.test(line) || asksForPassword.test(line));
  const plain = all.filter((one) => !typed.includes(one));
  const found = new Map<Line, Answered>();
  const asked = plain.map((one) => ({ args: one.args, folder: folderFor(one) }));
  for (const [index, answer] of (await world.run(asked)).entries()) {
    const line = plain[index];
    if (line) found.set(line, answer);
  }
  for (const one of typed) {
    const args = readsPassword.test(one.line) ? one.args : [...one.args, '--password-stdin'];
    found.set(one, await world.fed(folderFor(one), typedPassword, args));
  }
  return found;
}

test('every documented call of the command line does what its page says', async () => {
  const all = lines().filter(({ line }) => !goesOn.test(line) && !needsVariables.test(line));
  expect(all.length).toBeGreaterThan(60);
  const wrong: string[] = [];
  for (const [{ where, line }, { code, problem }] of await answers(all)) {
    const [, refusal] = ofTheReader.find(([pattern]) => pattern.test(line)) ?? [];
    const isRight = refusal === undefined ? code === 0 : code === 1 && problem.includes(refusal);
    if (!isRight) wrong.push(`${where}: ${line}: ${code} ${problem}`);
  }
  expect(wrong).toEqual([]);
});

test('what is not run, or names what only a reader has, is still in the pages', () => {
  const all = lines().map(({ line }) => line);
  for (const pattern of [goesOn, ...ofTheReader.map(([line]) => line)]) {
    expect([pattern, all.some((line) => pattern.test(line))]).toEqual([pattern, true]);
  }
});

test('steps of a longer script are those of the first flow', () => {
  const pagesOf = lines().flatMap(({ line, where }) => (needsVariables.test(line) ? [where.split(':')[0]] : []));
  expect(pagesOf.filter((page) => page !== 'docs/first-flow.md')).toEqual([]);
});

test('a documented command with a wrong argument would be noticed', async () => {
  const folder = world.folder('seeded');
  const calls = [
    ['clients', 'show', 'bookshelv'],
    ['clients', 'register', '--name', 'X', '--redirect-uri', 'not an address'],
    ['apis', 'remove', 'https://nothing.example.com'],
  ];
  for (const { code } of await world.run(calls.map((args) => ({ args, folder })))) expect(code).toBe(1);
});
