/** What is wrong with a setting, in words that never show a secret. */
import { type SettingName, settings } from './schema.ts';
import type { Setting } from './setting.ts';

export interface Mistake {
  readonly name: string;
  /** What was found, safe to show: a secret's value never appears. */
  readonly given: string;
  readonly wanted: string;
  readonly example: string;
}

/** All mistakes as a text for a terminal. */
export function describeMistakes(mistakes: readonly Mistake[]): string {
  const title = mistakes.length === 1 ? 'One setting needs a change:' : `${mistakes.length} settings need a change:`;
  const blocks = mistakes.map(
    ({ name, given, wanted, example }) =>
      `  ${name}\n    given    ${given}\n    wanted   ${wanted.replaceAll('`', '')}\n    example  ${
        example.includes('`') ? example.replaceAll('`', '') : `${name}=${example}`
      }`,
  );
  return [title, ...blocks, 'Every setting is described in docs/settings.md.'].join('\n\n');
}

export function mistake(name: SettingName, given: string | undefined, wanted: string): Mistake {
  const { example, secret } = settings[name] as Setting<unknown>;
  if (given === undefined) return { name, given: 'nothing', wanted, example };
  return {
    name,
    given: secret ? `a value of ${given.length} characters (not shown)` : printable(given),
    wanted,
    example,
  };
}

/** What was given, without what could steer a terminal, and without a password that slipped into an address. */
export function printable(text: string): string {
  const plain = text.replace(/\p{C}/gu, '?').replace(/\/\/[^/]*@/, '//…@');
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}
