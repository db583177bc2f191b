import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createMetrics, metricsPrefix, metricsTable } from '../../src/base/metrics.ts';

test('what is counted before the start is on the page after it', async () => {
  const metrics = createMetrics();
  metrics.count('sign_ins_total', { outcome: 'refused' });
  metrics.count('sign_ins_total', { outcome: 'refused' }, 2);
  metrics.observe('http_request_duration_seconds', { route: 'token' }, 0.004);
  let trips = 5;
  metrics.read('db_round_trips_total', () => trips);
  await metrics.start();
  metrics.count('http_requests_total', { route: 'token', method: 'POST', status: '200' });
  const { contentType, body } = await metrics.page();
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(body).toContain('gatehouse_sign_ins_total{outcome="refused"} 3\n');
  expect(body).toContain('gatehouse_http_requests_total{route="token",method="POST",status="200"} 1\n');
  expect(body).toContain('gatehouse_http_request_duration_seconds_bucket{le="0.005",route="token"} 1\n');
  expect(body).toContain('gatehouse_db_round_trips_total 5\n');
  trips = 9;
  expect((await metrics.page()).body).toContain('gatehouse_db_round_trips_total 9\n');
});

test('redis_up is absent until it is known, and when it is not known any more', async () => {
  const metrics = createMetrics();
  const line = async (): Promise<string | undefined> =>
    /^gatehouse_redis_up .*$/m.exec((await metrics.page()).body)?.[0];
  expect(await line()).toBeUndefined();
  let up: number | undefined = 1;
  metrics.read('redis_up', () => up);
  expect(await line()).toBe('gatehouse_redis_up 1');
  up = 0;
  expect(await line()).toBe('gatehouse_redis_up 0');
  up = undefined;
  expect(await line()).toBeUndefined();
});

test('two registries do not share', async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.count('tokens_issued_total', { grant_type: 'refresh_token', kind: 'AccessToken' });
  expect((await two.page()).body).not.toContain('grant_type="refresh_token"');
  expect((await one.page()).body).toContain(
    'gatehouse_tokens_issued_total{grant_type="refresh_token",kind="AccessToken"} 1',
  );
});

describe('docs/metrics.md and the code list the same', () => {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

  test('our own', () => {
    const rows = text.split('\n').filter((line) => line.startsWith(`| \`${metricsPrefix}`));
    expect(rows).toEqual(
      Object.entries(metricsTable).map(([name, { type, labels, help }]) => {
        const named = labels.map((label) => `\`${label}\``).join(', ');
        return `| \`${metricsPrefix}${name}\` | ${type} |${named === '' ? '' : ` ${named}`} | ${help} |`;
      }),
    );
  });

  test("the process's", async () => {
    const listed = [...text.matchAll(/^- `(.*)`$/gm)].map((found) => found[1] ?? '');
    const { body } = await createMetrics().page();
    const there = [...body.matchAll(/^# HELP (gatehouse_(?:process|nodejs)_\S+)/gm)].map((found) => found[1] ?? '');
    // Some of them exist on Linux only.
    if (process.platform === 'linux') expect(there.toSorted()).toEqual(listed.toSorted());
    else expect(listed).toEqual(expect.arrayContaining(there));
  });
});
