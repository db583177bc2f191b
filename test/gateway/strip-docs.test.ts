/** docs/surfaces/gateway.md lists every header that is stripped. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { defaultRules, foldHeader } from '../../src/gateway/header-names.ts';

test('S14: the documentation lists what is stripped by default', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/surfaces/gateway.md'), 'utf8');
  const [, table = ''] = /\| what \| names \|\n([\s\S]*?)\n\n/.exec(text) ?? [];
  const written = [...table.matchAll(/`([\w*-]+)`/g)].map(([, name = '']) => foldHeader(name.replace('*', '')));
  for (const name of defaultRules.strip) expect(written).toContain(foldHeader(name.replace('*', '')));
});
