/**
 * deploy/traefik-forward-auth.yaml: Traefik removes what its expression matches from a request, before it adds what it
 * was answered.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { spoofed } from './spoofed-headers.ts';

const shape = z.object({
  http: z.object({
    middlewares: z.object({ gatehouse: z.object({ forwardAuth: z.object({ authResponseHeadersRegex: z.string() }) }) }),
  }),
});

test('S14: the expression takes every name that a proxy might say of a caller, and no other', () => {
  const file = readFileSync(join(import.meta.dirname, '../../deploy/traefik-forward-auth.yaml'), 'utf8');
  const { authResponseHeadersRegex: written } = shape.parse(parse(file)).http.middlewares.gatehouse.forwardAuth;
  // Go writes the flag into the expression.
  const expression = new RegExp(written.replace('(?i)', ''), 'i');
  // Traefik writes these two itself.
  const missed = Object.keys(spoofed).filter((name) => !expression.test(name) && !/^x[-_]real[-_]ip$/i.test(name));
  expect(missed).toEqual([]);
  const good = [
    'Accept',
    'Authorization',
    'Cookie',
    'Content-Type',
    'X-Requested-With',
    'X-Request-Id',
    'X-Forwarded-For',
  ];
  expect(good.filter((name) => expression.test(name))).toEqual([]);
});
