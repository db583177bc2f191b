/** One hostile request: a right one, in which one to three things have been changed. */
import { filled, otherAuthorization, twistedAuthorization } from './credentials.ts';
import type { Chance } from './random.ts';
import { encoded, type Good, type Target, twistPath } from './targets.ts';
import * as values from './values.ts';

export interface Hostile {
  readonly name: string;
  /** What was changed, in words. */
  readonly changes: readonly string[];
  readonly bytes: Buffer;
  readonly isHead: boolean;
  /** As it is asked for, without the query. */
  readonly path: string;
  /** It comes with credentials, and they are the right ones. */
  readonly admissible: boolean;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY'];

/** Mutable while it is being made. Values are latin1 text: bytes. */
interface Draft {
  method: string;
  path: string;
  query: [string, string][];
  form: [string, string][] | undefined;
  json: Record<string, unknown> | undefined;
  /** Instead of all the above. */
  body: string | undefined;
  headers: [string, string][];
  /** In the form, as they are. */
  unescaped: boolean;
  /**
   * Headers that stay as they are, in small letters: who is refused at the door sees nothing of what lies behind it.
   */
  kept: ReadonlySet<string>;
}

const credentials = ['authorization', 'x-admin-key', 'cookie'];

export function hostileRequest(name: string, target: Target, chance: Chance, good: Good, great: boolean): Hostile {
  const draft = draftOf(target, good);
  if (chance.percent(50)) draft.kept = new Set(credentials);
  const carried = draft.headers.filter(isCredential).join();
  const changes: string[] = [];
  const times = 1 + chance.int(3);
  for (let time = 0; time < times; time += 1) changes.push(change(draft, chance, good, great));
  return {
    name,
    changes,
    bytes: written(draft),
    isHead: draft.method === 'HEAD',
    path: draft.path.split('?')[0] ?? '',
    admissible: carried !== '' && carried === draft.headers.filter(isCredential).join(),
  };
}

const isCredential = ([name]: readonly [string, string]): boolean => credentials.includes(name.toLowerCase());

function draftOf(target: Target, good: Good): Draft {
  const form = target.form?.(good);
  const json = target.json?.(good);
  const headers: [string, string][] = [
    ['Host', new URL(good.issuer).host],
    ...Object.entries(target.headers?.(good) ?? {}),
    ...(form ? [['Content-Type', 'application/x-www-form-urlencoded'] as [string, string]] : []),
    ...(json ? [['Content-Type', 'application/json'] as [string, string]] : []),
  ];
  return {
    method: target.method,
    path: target.path(good),
    query: Object.entries(target.query?.(good) ?? {}),
    form: form && Object.entries(form),
    json: json && { ...json },
    body: undefined,
    headers,
    unescaped: false,
    kept: new Set(),
  };
}

// ---- changing -------------------------------------------------------------------------------------------------------

function evilValue(chance: Chance, great: boolean): string {
  const kind = chance.int(100);
  if (kind < 30) return chance.pick(values.bytes);
  if (kind < 42) return long(chance, great);
  if (kind < 57) return chance.pick(values.confusions);
  if (kind < 67) return chance.pick(values.prototypes);
  if (kind < 85) return chance.pick(values.injections);
  if (kind < 95) return chance.pick(values.semantics);
  return chance.pick(values.bytes) + chance.pick(values.injections);
}

function long(chance: Chance, great: boolean): string {
  const length = great && chance.percent(1) ? values.greatLength : chance.pick(values.lengths);
  const unit = chance.pick(['a', 'a', ' ', '%', '\0', '.', 'a ', '\xc3\xa9', '{', '&', "'"]);
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

function change(draft: Draft, chance: Chance, good: Good, great: boolean): string {
  const parameters = draft.form ?? draft.query;
  const kind = chance.int(100);
  if (kind < 50 && draft.json) return changeJson(draft, draft.json, chance, great);
  if (kind < 50 && parameters.length > 0) return changeParameters(draft, parameters, chance, great);
  if (kind < 62 && !draft.kept.has('authorization')) return changeAuthorization(draft, chance, good);
  if (kind < 69 && !draft.kept.has('cookie')) return changeCookie(draft, chance, good);
  if (kind < 84) return changeHeader(draft, chance, good, great);
  if (kind < 90) {
    draft.path = twistPath(draft.path, evilValue(chance, false).slice(0, 2000), chance);
    return `path ${shown(draft.path)}`;
  }
  if (kind < 94) {
    draft.method = chance.pick(methods);
    return `method ${draft.method}`;
  }
  if (kind < 97) {
    if (chance.percent(70)) draft.body = chance.pick(values.documents);
    else draft.body = great && chance.percent(5) ? 'a'.repeat(values.greatBody) : long(chance, great);
    if (chance.percent(50))
      set(draft, 'Content-Type', chance.pick(['application/json', 'application/x-www-form-urlencoded']));
    if (draft.method === 'GET') draft.method = 'POST';
    return `body ${shown(draft.body)}`;
  }
  const many = chance.pick([100, 1000, 10_000]);
  const name = chance.pick(['a', 'scope', 'client_id', '', '__proto__', 'resource', 'a[]', 'a[b]']);
  const value = chance.pick(['', '1', 'x']);
  const more = Array.from({ length: many }, (): [string, string] => [name, value]);
  if (draft.form) draft.form.push(...more);
  else draft.query.push(...more.slice(0, 1500));
  return `${many} × ${name}=${value}`;
}

function changeParameters(draft: Draft, parameters: [string, string][], chance: Chance, great: boolean): string {
  const at = chance.int(parameters.length);
  const [name, value] = parameters[at] as [string, string];
  const kind = chance.int(100);
  if (kind < 62) {
    const evil = evilValue(chance, great);
    parameters[at] = [name, chance.percent(20) ? value + evil : evil];
    if (chance.percent(10)) draft.unescaped = true;
    return `${name}=${shown(evil)}`;
  }
  if (kind < 70) {
    parameters.splice(at, 1);
    return `no ${name}`;
  }
  if (kind < 80) {
    const twice = chance.percent(50) ? value : evilValue(chance, false);
    parameters.push([name, twice]);
    return `${name} again: ${shown(twice)}`;
  }
  if (kind < 90) {
    const other = chance.pick([
      `${name}[]`,
      `${name}[0]`,
      `${name}[b]`,
      `${name}.b`,
      `${name}[__proto__]`,
      `${name}\0`,
      name.toUpperCase(),
      ` ${name}`,
      `${name}[`,
    ]);
    parameters[at] = [other, value];
    return `${name} as ${shown(other)}`;
  }
  const added = chance.percent(50) ? chance.pick(values.prototypes) : evilValue(chance, false).slice(0, 3000);
  const evil = evilValue(chance, false);
  parameters.push([added, evil]);
  return `more: ${shown(added)}=${shown(evil)}`;
}

/** Raw JSON in the place of a value, as often as text. */
function changeJson(draft: Draft, json: Record<string, unknown>, chance: Chance, great: boolean): string {
  const names = Object.keys(json);
  const name = chance.percent(85) ? chance.pick(names) : chance.pick(values.prototypes);
  if (chance.percent(10)) {
    delete json[name];
    return `no ${name}`;
  }
  if (chance.percent(10)) {
    draft.body = chance.pick(values.documents);
    return `body ${shown(draft.body)}`;
  }
  const evil = evilValue(chance, great);
  const text = Buffer.from(evil, 'latin1').toString(chance.percent(50) ? 'utf8' : 'latin1');
  const surrogate = chance.pick(['\ud800', '\udfff', '\udfff\ud800', 'a\ud800b']);
  const made = chance.pick<unknown>([
    text,
    text,
    text,
    [text],
    [[text]],
    { [text.slice(0, 50)]: text },
    null,
    true,
    -1,
    1e308,
    Number('9007199254740993'),
    {},
    [],
    surrogate,
    [surrogate],
    Array.from({ length: 300 }, () => 'https://app.example.com/cb'),
    Array.from({ length: 2000 }, () => null),
    JSON.parse('{"then":1,"toString":1,"length":-1}'),
    { keys: [{ kty: 'RSA', n: text, e: 'AQAB' }, { kty: 'EC', crv: 'P-256', x: text, y: text }, null] },
  ]);
  Object.defineProperty(json, name, { value: made, enumerable: true, configurable: true, writable: true });
  return `${name}: ${shown(JSON.stringify(made))}`;
}

function changeAuthorization(draft: Draft, chance: Chance, good: Good): string {
  const own = draft.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  if (own !== undefined && chance.percent(60)) {
    const evil = evilValue(chance, false).slice(0, 5000);
    set(draft, 'Authorization', twistedAuthorization(own, evil, chance));
    return `inside Authorization: ${shown(evil)}`;
  }
  const { value, what } = otherAuthorization(chance, good);
  const add = chance.percent(15);
  if (add) draft.headers.push(['Authorization', value]);
  else set(draft, 'Authorization', value);
  return `Authorization: ${shown(what)}${add ? ' as well' : ''}`;
}

function changeCookie(draft: Draft, chance: Chance, good: Good): string {
  const template = chance.pick(values.cookies);
  if (chance.percent(80)) {
    set(draft, 'Cookie', filled(template, good));
    return `Cookie: ${shown(template)}`;
  }
  // One cookie of those that were right.
  const own = draft.headers.find(([name]) => name === 'Cookie');
  const pairs = own?.[1].split('; ') ?? ['gatehouse=x'];
  const at = chance.int(pairs.length);
  const name = String(pairs[at]).split('=')[0];
  const evil = evilValue(chance, false).slice(0, 4000);
  pairs[at] = `${name}=${evil}`;
  set(draft, 'Cookie', pairs.join('; '));
  return `cookie ${name}=${shown(evil)}`;
}

const headerNames = Object.keys(values.otherHeaders);

function changeHeader(draft: Draft, chance: Chance, good: Good, great: boolean): string {
  const name = chance.pick(headerNames.filter((other) => !draft.kept.has(other.toLowerCase())));
  const value = chance.percent(75)
    ? filled(chance.pick(values.otherHeaders[name] ?? ['']), good)
    : evilValue(chance, great).slice(0, 20_000);
  if (chance.percent(85)) set(draft, name, value);
  else draft.headers.push([name, value]);
  return `${name}: ${shown(value)}`;
}

function set(draft: Draft, name: string, value: string): void {
  draft.headers = [...draft.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]];
}

// ---- writing --------------------------------------------------------------------------------------------------------

function written(draft: Draft): Buffer {
  const body = bodyOf(draft);
  const query = draft.query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  const target = query === '' ? draft.path : `${draft.path}${draft.path.includes('?') ? '&' : '?'}${query}`;
  const headers = body === undefined ? draft.headers : [...draft.headers, ['Content-Length', String(body.length)]];
  // CR, LF and NUL inside a header would end it: what that does is for the framing suite.
  const lines = headers.map(([name, value]) => `${name}: ${String(value).replace(/[\r\n\0]/g, '')}`);
  const head = `${draft.method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

function bodyOf(draft: Draft): Buffer | undefined {
  if (draft.body !== undefined) return Buffer.from(draft.body, 'latin1');
  if (draft.form) {
    const write = draft.unescaped ? (text: string) => text.replaceAll('&', '%26') : encoded;
    return Buffer.from(draft.form.map(([name, value]) => `${encoded(name)}=${write(value)}`).join('&'), 'latin1');
  }
  if (draft.json) return Buffer.from(JSON.stringify(draft.json), 'utf8');
  return ['POST', 'PUT', 'DELETE'].includes(draft.method) ? Buffer.alloc(0) : undefined;
}

export function shown(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text;
  return JSON.stringify(cut);
}
