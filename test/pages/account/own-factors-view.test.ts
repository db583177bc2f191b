/** A deployment's own page of second factors, written for the members that it had before `switches`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../../support/server.ts';
import { visit } from './visitor.ts';

const viewsDir = mkdtempSync(join(tmpdir(), 'gatehouse-own-factors-'));
mkdirSync(join(viewsDir, 'account'));
writeFileSync(
  join(viewsDir, 'account', 'account-factors.ejs'),
  '<p>app <%= it.app %>, passkeys <%= it.passkeys %>, emailCodes <%= it.emailCodes %></p>\n' +
    '<% for (const { kind } of it.factors) { %><p>has <%= kind %></p><% } %>',
);

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { VIEWS_DIR: viewsDir } });
});
afterAll(async () => {
  await server.close();
  rmSync(viewsDir, { recursive: true });
});

test('reads what can be added and what there is', async () => {
  const { agent, person, page } = await visit(server, '/account/factors');
  expect(page.text).toContain('app true, passkeys true, emailCodes true');
  await server.core.factors.switchOn('email-code', person.subject);
  const after = await agent.go('/account/factors');
  expect(after.text).toContain('app true, passkeys true, emailCodes false');
  expect(after.text).toContain('has email-code');
});
