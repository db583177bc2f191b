/**
 * Reads the settings from the environment into one frozen `Config`, or reports all mistakes at once.
 * First checks each setting (with its `NAME_FILE`), then each rule whose settings are valid.
 */
import { readFileSync } from 'node:fs';
import { printable } from '../base/printable.ts';
import { type Config, configOf } from './config.ts';
import { misspellings } from './misspellings.ts';
import { type Mistake, mistake } from './mistakes.ts';
import { rules } from './rules.ts';
import { type SettingName, table, type Values } from './schema.ts';
import type { Setting } from './setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Loaded = (
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }
) & {
  /** Variables that look like misspelt settings. */
  readonly warnings: readonly string[];
  /** The settings that are valid by themselves. */
  readonly values: Partial<Values>;
};

export function loadConfig(environment: Environment): Loaded {
  const mistakes: Mistake[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of table) {
    const found = find(name, setting, environment);
    const value = found.text === undefined ? setting.fallback : setting.kind.parse(found.text);
    if (found.mistake) mistakes.push(found.mistake);
    else if (found.text !== undefined && value === undefined) {
      mistakes.push(mistake(name, found.text, setting.kind.wanted));
    } else values[name] = value;
  }

  // A rule about an invalid setting would only confuse.
  const broken = new Set(mistakes.map(({ name }) => name.replace(/_FILE$/, '')));
  for (const rule of rules) {
    if (rule.about.some((name) => broken.has(name))) continue;
    const broke = rule.check(values as Values);
    if (broke) mistakes.push(mistake(rule.about[0], broke.given, broke.wanted, broke.example));
  }
  const known = { warnings: misspellings(environment), values: values as Partial<Values> };
  if (mistakes.length > 0) return { ok: false, mistakes, ...known };
  return { ok: true, config: configOf(values as Values), ...known };
}

interface Found {
  readonly text: string | undefined;
  readonly mistake?: Mistake;
}

/** Reads a setting from its variable or, for a secret, from the file that `NAME_FILE` names. Empty means unset. */
function find(name: SettingName, setting: Setting<unknown>, environment: Environment): Found {
  const text = environment[name]?.trim() || undefined;
  const path = setting.secret ? environment[`${name}_FILE`]?.trim() || undefined : undefined;
  if (path === undefined) return { text };
  const example = `/run/secrets/${name.toLowerCase()}`;
  const wrong = (given: string, wanted: string): Found => ({
    text: undefined,
    mistake: { name: `${name}_FILE`, given, wanted, example },
  });
  if (text !== undefined) return wrong(`both ${name} and ${name}_FILE`, 'one of the two');
  try {
    const content = readFileSync(path, 'utf8').trim();
    return content === ''
      ? wrong(`${printable(path)}, which is empty`, 'a file that holds the value')
      : { text: content };
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    return wrong(`${printable(path)} (${code})`, 'a file that this process can read');
  }
}
