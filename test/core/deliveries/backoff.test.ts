/** When a delivery is tried again: later each time, spread, and as the application asks. */
import { describe, expect, test } from '@jest/globals';
import { askedMs, restMs, retryMs } from '../../../src/core/deliveries/backoff.ts';
import { verdictOf } from '../../../src/core/deliveries/verdict.ts';

const now = Date.parse('2026-11-30T12:00:00Z');
const answered = (status: number, headers: Record<string, string> = {}) =>
  verdictOf({ outcome: 'answered', status, headers, body: Buffer.alloc(0) }, now);

describe('waiting', () => {
  test('each attempt waits twice as long as the one before, up to half an hour, a tenth more or less', () => {
    const seconds = [0, 1, 2, 8, 9, 1000].map((attempts) => retryMs(attempts, () => 0.5) / 1000);
    expect(seconds).toEqual([5, 10, 20, 1280, 1800, 1800]);
    expect([retryMs(0, () => 0), retryMs(0, () => 0.999_999)]).toEqual([4_500, 5_500]);
  });

  test('a client rests a second after one failure, and a minute at most', () => {
    expect([1, 2, 3, 7, 1000].map(restMs)).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
  });

  test('Retry-After is seconds or a date, an hour at most; rubbish and the past ask for nothing', () => {
    expect(askedMs('120', now)).toBe(120_000);
    expect(askedMs('Mon, 30 Nov 2026 12:02:00 GMT', now)).toBe(120_000);
    for (const far of ['999999999', 'Mon, 30 Nov 2099 12:00:00 GMT']) expect(askedMs(far, now)).toBe(3_600_000);
    for (const none of [undefined, '', '-1', '1.5', 'soon', 'Mon, 30 Nov 2020 12:00:00 GMT'])
      expect([none, askedMs(none, now)]).toEqual([none, 0]);
  });
});

describe('verdicts', () => {
  test('2xx is taken; what is likely to pass is tried again; every other answer is final', () => {
    const outcomes = Object.fromEntries(
      [200, 202, 204, 400, 401, 403, 404, 408, 410, 422, 429, 500, 501, 502, 503, 504].map((status) => [
        status,
        answered(status).outcome,
      ]),
    );
    expect(outcomes).toEqual({
      ...{ 200: 'delivered', 202: 'delivered', 204: 'delivered' },
      ...{ 400: 'failed', 401: 'failed', 403: 'failed', 404: 'failed', 410: 'failed', 422: 'failed' },
      ...{ 408: 'again', 429: 'again', 500: 'again', 501: 'again', 502: 'again', 503: 'again', 504: 'again' },
    });
    expect(answered(400)).toEqual({ outcome: 'failed', words: 'answered 400' });
    expect(answered(429, { 'retry-after': '7' })).toMatchObject({ askedMs: 7_000 });
    expect(answered(503)).toMatchObject({ askedMs: 0 });
  });

  test('no answer is tried again; an address that breaks a rule is final', () => {
    const failed = { outcome: 'failed', fault: 'connection', reason: 'It is down.' } as const;
    expect(verdictOf(failed, now)).toEqual({ outcome: 'again', words: 'It is down.', askedMs: 0 });
    const refused = { outcome: 'refused', rule: 'redirect', reason: 'It is a redirect.' } as const;
    expect(verdictOf(refused, now)).toEqual({ outcome: 'failed', words: 'It is a redirect.' });
  });
});
