/** What is wrong with a setting, in words that never show a secret. */
import { mistakesAsText } from '../base/mistakes.ts';
import { printable } from '../base/printable.ts';
import { type SettingName, settings } from './schema.ts';
import type { Setting } from './setting.ts';

export interface Mistake {
  readonly name: string;
  /** What was found, safe to show: a secret's value never appears. */
  readonly given: string;
  readonly wanted: string;
  /** A value, or, with backticks, words about one. Never the value that is refused. */
  readonly example: string;
  /** Of a file that the setting names: everything that is wrong in it; several lines. */
  readonly details?: string;
}

/** All mistakes as a text for a terminal, with the variables that may have been meant as settings. */
export function describeMistakes(mistakes: readonly Mistake[], misspelt: readonly string[] = []): string {
  const shown = mistakes.map(({ name, example, ...mistake }) => ({
    ...mistake,
    where: name,
    example: example.includes('`') ? example.replaceAll('`', '') : `${name}=${example}`,
  }));
  const ignored = misspelt.length === 0 ? [] : [['These variables are not read:', ...misspelt].join('\n  ')];
  return mistakesAsText(shown, {
    thing: 'setting',
    end: [...ignored, 'Every setting is described in docs/settings.md.'],
  });
}

/** `better`: a better example than the setting's own, where what is wrong lies between settings. */
export function mistake(
  name: SettingName,
  given: string | undefined,
  wanted: string,
  better?: string,
): Mistake & { readonly name: SettingName } {
  const { example: usual, secret } = settings[name] as Setting<unknown>;
  const example = better ?? (usual === given ? elsewhere(usual) : usual);
  if (given === undefined) return { name, given: 'nothing', wanted, example };
  return {
    name,
    given: secret ? `a value of ${given.length} characters (not shown)` : printable(given),
    wanted,
    example,
  };
}

/** Only a path can be refused that is the setting's own example: there is nothing at it. */
function elsewhere(path: string): string {
  return `./${path.slice(path.lastIndexOf('/') + 1)}`;
}
