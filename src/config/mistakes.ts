/** Describes mistakes in settings without showing secrets. */
import { mistakesAsText } from '../base/mistakes.ts';
import { printable } from '../base/printable.ts';
import { type SettingName, settings } from './schema.ts';
import type { Setting } from './setting.ts';

export interface Mistake {
  readonly name: string;
  /** The value that was found; a secret is never shown. */
  readonly given: string;
  readonly wanted: string;
  /** A value, or a text if it has backticks. Never the refused value. */
  readonly example: string;
  /** All mistakes in the file that the setting names, on several lines. */
  readonly details?: string;
}

/** Formats the mistakes for a terminal, with the variables that may be misspelt settings. */
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

/** `better` replaces the setting's own example if the mistake is in a combination of settings. */
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

/** A refused path that equals the example does not exist, so the example must differ. */
function elsewhere(path: string): string {
  return `./${path.slice(path.lastIndexOf('/') + 1)}`;
}
