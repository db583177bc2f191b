/** The queue: outside of the request, again and again but not for ever, and nothing is lost without a word. */
import { expect, test } from '@jest/globals';
import { createLog } from '../../src/base/log.ts';
import { createMetrics } from '../../src/base/metrics.ts';
import type { AuditEventName, AuditFields } from '../../src/core/kernel/audit.ts';
import type { Delivery, Letter, Message } from '../../src/core/mail/mailer.ts';
import { createMails } from '../../src/core/mail/mails.ts';
import { until } from '../support/mail.ts';

const letter: Letter = {
  kind: 'reset-password',
  to: 'ada@example.org',
  locale: 'en',
  subject: 'somebody',
  path: '/reset?token=very-secret-token',
};
const forNow: Delivery = { outcome: 'failed', forGood: false, reason: 'ECONNECTION' };
const forGood: Delivery = { outcome: 'failed', forGood: true, reason: 'EENVELOPE 550' };

function buildMails(answers: Delivery[], retryMs: readonly number[] = [1, 1]) {
  const tried: Message[] = [];
  const lines: string[] = [];
  const audited: [AuditEventName, AuditFields][] = [];
  const { log } = createLog({ level: 'trace', format: 'json', to: { write: (line: string) => void lines.push(line) } });
  const mails = createMails({
    transport: {
      async deliver(message) {
        tried.push(message);
        return answers.shift() ?? { outcome: 'sent' };
      },
    },
    word: async ({ kind, to, locale, path }) => ({ kind, to, locale, subject: '', text: '', html: '', link: path }),
    audit: { note: (event, fields) => void audited.push([event, fields]) },
    log,
    metrics: createMetrics(),
    retryMs,
  });
  return { mails, tried, lines, audited };
}

test('what cannot be sent now is tried again, and then sent once', async () => {
  const { mails, tried, audited } = buildMails([forNow, forNow]);
  mails.send(letter);
  await until(() => tried.length === 3);
  await mails.close();
  expect(tried).toHaveLength(3);
  expect(audited).toEqual([]);
});

test('after the last try it is given up, with a record and without the link', async () => {
  const { mails, tried, lines, audited } = buildMails([forNow, forNow, forNow]);
  mails.send(letter);
  await until(() => audited.length > 0);
  expect(tried).toHaveLength(3);
  expect(audited).toEqual([
    ['mail.failed', { subject: 'somebody', detail: { mail: 'reset-password', reason: 'ECONNECTION' } }],
  ]);
  expect(lines.join()).not.toContain('very-secret-token');
  expect(lines.join()).not.toContain('ada@example.org');
});

test('what is refused for good is not tried again', async () => {
  const { mails, tried, audited } = buildMails([forGood]);
  mails.send(letter);
  await mails.settled();
  expect([tried.length, audited.length]).toEqual([1, 1]);
});

test('a look-up that fails is made again; one that finds no account sends nothing', async () => {
  const { mails, tried } = buildMails([]);
  let looks = 0;
  mails.later(async () => {
    looks += 1;
    if (looks === 1) throw new Error('the database is away');
    return letter;
  });
  mails.later(async () => undefined);
  await until(() => tried.length > 0);
  await mails.close();
  expect([looks, tried.length]).toEqual([2, 1]);
});

test('asking for a mail looks nothing up before the caller has gone on', async () => {
  const { mails } = buildMails([]);
  let looked = false;
  mails.later(async () => {
    looked = true;
    return undefined;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(looked).toBe(false);
  await mails.settled();
  expect(looked).toBe(true);
});

test('the end of the server sends what waits, and says what it could not', async () => {
  const { mails, tried, audited } = buildMails([forNow], [3_600_000]);
  mails.send(letter);
  await mails.settled();
  mails.send(letter);
  await mails.close();
  expect(tried).toHaveLength(2);
  expect(audited.map(([event, { detail }]) => [event, detail?.reason])).toEqual([
    ['mail.failed', 'the server stopped'],
  ]);
});
