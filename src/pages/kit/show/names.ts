/** What scopes, programs and entry points are called, in the reader's language. `say`: a text of the catalogue. */
import { knownScopes, type ScopeView } from '../view-parts.ts';
import { clip } from './values.ts';

type Say = (key: string, values?: Readonly<Record<string, string>>) => string;

const scopeIcons: Readonly<Record<string, string>> = {
  openid: 'known',
  profile: 'person',
  user: 'person',
  email: 'mail',
  address: 'place',
  phone: 'telephone',
  groups: 'people',
  offline_access: 'away',
};

/** Scopes of an API have one icon. */
export const scopeIcon = ({ name, sentence }: ScopeView): string => (sentence ? 'server' : (scopeIcons[name] ?? 'key'));

export function scopeSentence(scope: ScopeView, say: Say): string {
  if (scope.sentence !== undefined && scope.sentence !== '') return clip(scope.sentence, 200);
  const known = knownScopes.find((name) => name === scope.name);
  return known === undefined ? say('scope.other', { scope: clip(scope.name) }) : say(`scope.${known}`);
}

/** "Firefox on Linux", or what is known of it. Empty if nothing is. */
export function programName(
  { program, system }: { readonly program?: string | undefined; readonly system?: string | undefined },
  say: Say,
): string {
  return program && system
    ? say('account.program.on', { program: clip(program), system: clip(system) })
    : clip(program ?? system);
}

/** The entry point of a session. One that the catalogue does not know is called by its name. */
export function doorName(door: string, say: Say): string {
  const key = `account.door.${door}`;
  const words = say(key);
  return words === key ? clip(door) : words;
}
