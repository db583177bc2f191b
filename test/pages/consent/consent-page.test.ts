/** What the consent page shows of the account, the application and the scopes, whatever is long, missing or the same. */
import { describe, expect, test } from '@jest/globals';
import { action, bookshelf, csrf, unknownShop } from '../../../src/pages/kit/state.ts';
import type { ViewLocals } from '../../../src/pages/kit/views.ts';
import { states } from '../../../src/pages/states.ts';
import { renderer } from '../kit/rendered.ts';

const consent = (more: Partial<ViewLocals['consent']> = {}) =>
  renderer.render(
    'consent',
    {
      ...{ action, csrf, client: bookshelf, account: { username: 'ada' } },
      scopes: [{ name: 'openid' }, { name: 'email' }],
      ...more,
    },
    { locale: 'en' },
  );
const words = (html: string): string =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
const between = (html: string, from: RegExp, to: string): string => {
  const start = from.exec(html)?.index ?? -1;
  return start < 0 ? '' : html.slice(start, html.indexOf(to, start));
};
/** Each scope of the lists of one kind. */
const itemsOf = (html: string, list: RegExp): string[] =>
  (between(html, list, '</ul>').match(/<li>[\s\S]*?<\/li>/g) ?? []).map((item) => item);

describe('the account', () => {
  test.each([
    [{ username: 'ada' }, ['ada']],
    [{ username: 'ada', name: 'Ada' }, ['Ada']],
    [{ username: 'ada', name: 'Ada Example' }, ['Ada Example', 'ada']],
    [{ username: 'ada', name: 'Ada Example', email: 'ada@example.org' }, ['Ada Example', 'ada@example.org']],
    [{ username: 'ada', email: 'ada@example.org' }, ['ada', 'ada@example.org']],
    [{ username: 'ada@example.org', email: 'Ada@example.org' }, ['ada@example.org']],
  ])('%j: nothing is said twice', (account, said) => {
    const row = between(consent({ account }), /<div class="who">/, '<button');
    expect([...row.matchAll(/<bdi[^>]*>([^<]*)<\/bdi>/g)].map(([, text]) => text)).toEqual(said);
  });
});

describe('the application', () => {
  test('site, owner and links are one line', () => {
    const client = { ...bookshelf, owner: 'grace', policyUri: 'https://a.example/p', tosUri: 'https://a.example/t' };
    const line = between(consent({ client }), /<p class="origin/, '</p>');
    expect(words(line)).toBe('bookshelf.example by grace privacy terms');
  });

  test('an unreviewed one has a plain monogram, a badge and a warning; a reviewed one has none of them', () => {
    const [unreviewed, reviewed] = [consent({ client: unknownShop }), consent()];
    const marks = ['avatar app plain large', 'badge warn">not reviewed', 'note warn', 'has not checked'];
    for (const mark of marks) expect([mark, unreviewed.split(mark).length]).toEqual([mark, 2]);
    for (const mark of marks) expect([mark, reviewed.includes(mark)]).toEqual([mark, false]);
  });

  test('a document, loopback and a change are one notice with the warning', () => {
    const client = { ...unknownShop, documentHost: 'agent.example', onLoopback: true };
    const notes = consent({ client, eachTime: 'changed' }).match(/<div class="note [^>]*>/g);
    expect(notes).toEqual(['<div class="note warn">']);
    // A reviewed application that has changed is told without alarm.
    expect(consent({ eachTime: 'changed' })).toContain('<div class="note info">');
  });
});

describe('the scopes', () => {
  const known = (count: number) => ({
    told: '[]',
    scopes: Array.from({ length: count }, (_, n) => ({ name: `s${n}`, sentence: `Do ${n}` })),
  });
  const apis = [{ name: 'Calendar', scopes: [{ name: 'w', sentence: 'Add appointments', field: 'optional w' }] }];
  const isNew = '<span class="badge new">new</span>';

  test('each kind has its icon, those of an API another than those of the account', () => {
    const names = ['openid', 'profile', 'email', 'address', 'phone', 'groups', 'offline_access'];
    const html = consent({ scopes: names.map((name) => ({ name })), apis });
    const iconsIn = (list: string) => [...list.matchAll(/icons\.svg\?[^#]*#([a-z-]+)"/g)].map(([, icon]) => icon);
    const own = iconsIn(itemsOf(html, /<ul class="scopes">/).join());
    expect(new Set(own).size).toBe(names.length);
    expect(own).not.toContain('server');
    expect(iconsIn(between(html, /In <bdi>Calendar/, '</ul>'))).toEqual(['server']);
  });

  test('what is new since the last time is marked, and only then', () => {
    const more = consent({ apis, known: known(2) });
    const asked = itemsOf(more, /<ul class="scopes">/);
    expect(asked).toHaveLength(2);
    for (const item of asked) expect(item).toContain(isNew);
    expect(between(more, /In <bdi>Calendar/, '</ul>')).toContain(isNew);
    for (const item of itemsOf(more, /<ul class="scopes known">/)) expect(item).not.toContain(isNew);
    expect(consent({ apis })).not.toContain(isNew);
  });

  test('an optional one is a ticked box that belongs to the form', () => {
    expect(consent({ apis })).toContain(
      '<label class="tick"><input type="checkbox" form="consent" name="optional w" value="yes" checked>',
    );
  });

  test('what is allowed already is listed; a long list is folded, with its length', () => {
    expect(consent({ known: known(5) })).not.toContain('<details');
    const folded = between(consent({ known: known(12) }), /<details/, '</details>');
    expect(words(between(folded, /<summary/, '</summary>'))).toBe('Already allowed 12');
    expect(itemsOf(folded, /<ul class="scopes known">/)).toHaveLength(12);
  });

  test('thirty scopes in a page that is small enough are a state of the gallery', () => {
    const many = states.find(({ name }) => name === 'consent-many');
    expect(many && JSON.stringify(many.locals).match(/"sentence"/g)).toHaveLength(30);
  });
});
