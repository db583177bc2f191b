/**
 * The walk-throughs of docs/surfaces, run as they are written: every ```sh block whose first line is `# Walk-through:
 * …`, all of a page in one bash, from top to bottom, against a server that has just started. What a block prints must
 * be what the block behind it shows (nothing, where there is none), `...` standing for any text within a line.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { adminKey, startServer } from '../support/server.ts';

const folder = join(import.meta.dirname, '../../docs/surfaces');

/** Settings of the server of a page, where it needs any. */
const settings: Readonly<Record<string, Record<string, string>>> = {};

interface Step {
  readonly title: string;
  readonly commands: string;
  readonly shown: string;
  readonly json: boolean;
}

function stepsOf(page: string): Step[] {
  const fences = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    start: match.index,
    end: match.index + match[0].length,
  }));
  return fences.flatMap(({ language, text, end }, n) => {
    const [, title] = /^# Walk-through: (.+)\n/.exec(text) ?? [];
    if (language !== 'sh' || title === undefined) return [];
    const next = fences[n + 1];
    const shown = next && next.language !== 'sh' && page.slice(end, next.start).trim() === '' ? next : undefined;
    return [{ title, commands: text, shown: shown?.text ?? '', json: shown?.language === 'json' }];
  });
}

/** White space in JSON says nothing, unless it stands in a string. */
const squeezed = (json: string) => json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, quoted?: string) => quoted ?? '');
const lines = (text: string) => text.split('\n').map((line) => line.trimEnd());

function isAsShown(printed: string, { shown, json }: Step): boolean {
  const [is, should] = json
    ? [[squeezed(printed)], [squeezed(shown)]]
    : [lines(printed.trimEnd()), lines(shown.trimEnd())];
  return is.length === should.length && should.every((line, n) => pattern(line).test(is[n] ?? ''));
}

function pattern(line: string): RegExp {
  const literal = line.split(/\.\.\.|…/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literal.join('.+')}$`);
}

/** All steps in one bash, so that what one has found out the next ones know; what each printed, as far as they came. */
async function run(steps: readonly Step[], environment: Record<string, string>) {
  const mark = '-- the next step --';
  const script = ['set -euo pipefail', ...steps.map(({ commands }) => `${commands}echo '${mark}'`)].join('\n');
  const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':');
  const bash = spawn('bash', ['-c', script], {
    env: { PATH: path, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [printed, errors] = ['', ''];
  bash.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  bash.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => bash.on('close', resolve));
  // curl -s leaves no line break behind an answer, so the mark may follow it at once.
  return { code, errors, outputs: printed.split(`${mark}\n`).slice(0, steps.length) };
}

describe('docs/surfaces', () => {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
  const walked = pages.map((name) => ({ name, steps: stepsOf(readFileSync(join(folder, name), 'utf8')) }));

  test.each(walked.filter(({ steps }) => steps.length > 0).map((page) => [page.name, page.steps] as const))(
    'the walk-through of %s prints what the page shows',
    async (name, steps) => {
      const server = await startServer({ env: settings[name] ?? {} });
      try {
        const { code, errors, outputs } = await run(steps, { BASE: server.url, ADMIN_KEY: adminKey });
        for (const [n, step] of steps.entries()) {
          const printed = outputs[n];
          if (printed === undefined) throw new Error(`"${step.title}" was not reached: ${errors}`);
          if (isAsShown(printed, step)) continue;
          throw new Error(`"${step.title}" prints\n${printed}\nand the page shows\n${step.shown}\n${errors}`);
        }
        expect([code, errors]).toEqual([0, expect.any(String)]);
      } finally {
        await server.close();
      }
    },
    60_000,
  );

  test('every page has a walk-through', () => {
    expect(walked.filter(({ steps }) => steps.length === 0).map(({ name }) => name)).toEqual([]);
  });

  test('a page that shows something else than is printed does not pass', async () => {
    const page = (shown: string) =>
      `\`\`\`sh\n# Walk-through: x\nprintf '%s' '{"a": "b c", "n": 1}'\n\`\`\`\n\n${shown}`;
    const verdict = async (shown: string) => {
      const [step] = stepsOf(page(shown));
      if (!step) throw new Error('no step');
      return isAsShown((await run([step], {})).outputs[0] ?? '', step);
    };
    expect(await verdict('```json\n{"a":"b c",\n  "n":1}\n```')).toBe(true);
    expect(await verdict('```json\n{"a":"...","n":...}\n```')).toBe(true);
    expect(await verdict('```text\n{"a": "b c", "n": 1}\n```')).toBe(true);
    expect(await verdict('```text\n{"a":"b c","n":1}\n```')).toBe(false);
    expect(await verdict('```json\n{"a":"bc","n":1}\n```')).toBe(false);
    expect(await verdict('```json\n{"a":"b c","n":2}\n```')).toBe(false);
    expect(await verdict('```json\n{"a":"b c"}\n```')).toBe(false);
    expect(await verdict('Nothing is shown.')).toBe(false);
    expect(await verdict('Words between.\n\n```json\n{"a":"b c","n":1}\n```')).toBe(false);
    const [failing, after] = stepsOf('```sh\n# Walk-through: a\nfalse\n```\n```sh\n# Walk-through: b\ntrue\n```\n');
    if (!failing || !after) throw new Error('no steps');
    expect(await run([failing, after], {})).toMatchObject({ code: 1, outputs: [''] });
  });
});
