/** Authorization in all its forms: another one, or the one that is right with something wrong inside its wrapping. */
import type { Chance } from './random.ts';
import type { Good } from './targets.ts';
import * as values from './values.ts';

/** Fills in what a template of values.ts leaves open. */
export function filled(text: string, good: Good): string {
  return text
    .replaceAll('{basic}', Buffer.from(`${good.client.id}:${good.client.secret}`).toString('base64'))
    .replaceAll('{access}', good.access)
    .replaceAll('{jwt}', good.jwt)
    .replaceAll('{person}', good.gateway.person)
    .replaceAll('{program}', good.gateway.program)
    .replaceAll('{admin}', good.adminKey)
    .replaceAll('{session}', good.sessionValue)
    .replaceAll('{session.sig}', good.sessionSignature)
    .replaceAll('{cookies}', good.session);
}

export function otherAuthorization(chance: Chance, good: Good): { value: string; what: string } {
  const template = chance.pick(values.authorizations);
  return { value: filled(template, good), what: template };
}

/** What a decoder behind the first parser meets. `evil`: bytes as latin1 text. */
export function twistedAuthorization(own: string, evil: string, chance: Chance): string {
  const [, scheme = '', rest = ''] = /^(\S+ +)(.*)$/s.exec(own) ?? [];
  if (/^basic /i.test(own)) return scheme + Buffer.from(twistedPair(rest, evil, chance), 'latin1').toString('base64');
  if (own.startsWith('{')) return twistedJson(evil, chance);
  const halves = rest.split(':');
  const at = chance.int(halves.length);
  halves[at] = twistedToken(halves[at] ?? '', evil, chance);
  if (chance.percent(10)) halves.push(halves[at] ?? '');
  if (chance.percent(10)) halves.reverse();
  return scheme + halves.join(':');
}

function twistedPair(base64: string, evil: string, chance: Chance): string {
  const pair = Buffer.from(base64, 'base64').toString('latin1');
  const [name = '', ...rest] = pair.split(':');
  const secret = rest.join(':');
  return chance.pick([
    `${evil}:${secret}`,
    `${name}:${evil}`,
    `${name}${evil}:${secret}`,
    `${name}:${secret}${evil}`,
    `${evil}:${evil}`,
    `${name}${evil}`,
    `${pair}:${evil}`,
    `\xef\xbb\xbf${pair}`,
    `${name}:`,
    `:${secret}`,
  ]);
}

function twistedJson(evil: string, chance: Chance): string {
  const text = JSON.stringify(evil);
  return chance.pick([
    `{"token":${text}}`,
    `{"token":${text},"token":"x"}`,
    `{"token":{${text}:${text}}}`,
    `{"token":[${text}]}`,
    `{${text}:"x"}`,
    `{"token":${evil}}`,
    `{"__proto__":{"token":${text}}}`,
  ]);
}

function twistedToken(token: string, evil: string, chance: Chance): string {
  const parts = token.split('.');
  const at = chance.int(parts.length);
  const inBase64 = (text: string) => Buffer.from(text, 'latin1').toString('base64url');
  parts[at] = chance.pick([
    evil,
    inBase64(evil),
    inBase64(`{"alg":"none","typ":${JSON.stringify(evil)},"kid":${JSON.stringify(evil)}}`),
    inBase64(`{"sub":${JSON.stringify(evil)},"sid":{"then":1},"exp":1e308,"aud":[null]}`),
    (parts[at] ?? '').slice(0, chance.int(40)),
    `${parts[at]}=`,
    (parts[at] ?? '').replace(/.$/, chance.pick(['A', '_', '!'])),
  ]);
  return parts.join('.');
}
