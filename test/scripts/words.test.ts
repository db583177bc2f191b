/** scripts/check-words.mjs notices what it is there for. */
import { describe, expect, test } from '@jest/globals';

interface Mistake {
  readonly line: number;
  readonly says: string;
}
interface Words {
  readonly unclearWords: readonly string[];
  proseOf(text: string): string;
  wordMistakes(text: string): Mistake[];
  commentMistakes(text: string): Mistake[];
  sentenceMistakes(text: string): Mistake[];
}

const load = (name: string): Promise<Words> => import(`../../scripts/${name}`);
const { unclearWords, proseOf, wordMistakes, commentMistakes, sentenceMistakes } = await load('check-words.mjs');

const linesOf = (mistakes: readonly Mistake[]) => mistakes.map(({ line }) => line);
const words = (count: number): string => Array.from({ length: count }, (_, n) => `word${n}`).join(' ');

test.each(unclearWords)('"%s" is noticed wherever it stands', (word) => {
  const upper = `${word[0]?.toUpperCase()}${word.slice(1)}`;
  expect(linesOf(wordMistakes(`first\n// ${word} signs in\n| ${upper} |\n"${word}'s"`))).toEqual([2, 3, 4]);
  expect(wordMistakes(`first ${word}ness, x${word}`)).toEqual([]);
});

test('in tests, comments and strings of several words are read; a single word is data', () => {
  const [word] = unclearWords;
  const text = [
    `test('${word} signs in', async () => {`,
    `  ['${word}', "${word}-at-all", \`/forgot?name=${word}\`],`,
    `  const ${word} = 1; // for ${word}`,
    ` * ${word} reads it`,
  ];
  expect(linesOf(wordMistakes(proseOf(text.join('\n'))))).toEqual([1, 3, 4]);
});

test('a comment line has at most 120 columns, code may have more', () => {
  const wide = 'x'.repeat(118);
  const text = [
    `// ${wide}`,
    `   * ${wide}`,
    `const a = '${wide}';`,
    `const b = 1; // ${wide}`,
    `// ${'x'.repeat(117)}`,
  ];
  expect(linesOf(commentMistakes(text.join('\n')))).toEqual([1, 2, 4]);
});

describe('a sentence has at most 24 words', () => {
  test.each([
    ['in one line', `${words(24)}. ${words(25)}.`, [1]],
    ['over two lines', `Short.\n${words(20)}\n${words(5)}.\nShort.`, [2]],
    ['in an item of a list', `- ${words(24)}\n- ${words(25)}`, [2]],
    ['after a question', `Is it? ${words(24)}.`, []],
    ['with code, which is one word', `${words(23)} \`npm run cli -- clients list\`.`, []],
    ['with a link, which is its text', `${words(23)} [one](https://example.com/a b c).`, []],
    ['with a number that has a point', `${words(22)} section 2.1.`, []],
  ])('%s', (_what, text, lines) => {
    expect(linesOf(sentenceMistakes(text))).toEqual(lines);
  });

  test('code blocks, tables, headings, pictures and comments are left out', () => {
    const long = words(30);
    const text = [
      `# ${long}`,
      `| ${long} |`,
      '```sh',
      long,
      '```',
      `    ${long}`,
      '<!--',
      long,
      '-->',
      `![${long}](a.png)`,
    ];
    expect(sentenceMistakes(text.join('\n'))).toEqual([]);
    expect(linesOf(sentenceMistakes(`${text.join('\n')}\n${long}`))).toEqual([11]);
  });
});
