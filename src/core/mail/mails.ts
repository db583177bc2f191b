/**
 * Sends mails outside of the request that causes them. So a slow mail server delays no response, and the response time
 * does not reveal whether a mail is sent: look-ups for a mail also run after the response. A failed mail is retried for
 * a quarter of an hour. Then, or when the server stops, it is dropped and recorded in log, metrics and audit trail.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Delivery, Letter, MailTransport, Message } from './mailer.ts';

export interface Mails {
  /** False: this server sends no mails, and does not offer what needs them. */
  readonly work: boolean;
  /** Queues the mail. Does not wait, and never throws. */
  send(letter: Letter): void;
  /** Queues a look-up, and sends the mail that it returns. If the look-up throws, it is retried. */
  later(look: () => Promise<Letter | undefined>): void;
  /** Sends at once and does not retry, for a caller that needs the outcome. */
  sendNow(letter: Letter): Promise<Delivery>;
  /** Resolves when every queued mail has been tried once. */
  settled(): Promise<void>;
  /** Gives queued mails a few seconds, and drops the rest. */
  close(): Promise<void>;
}

interface Job {
  readonly look: () => Promise<Letter | undefined>;
  letter?: Letter;
  tries: number;
}

const atOnce = 4;
const waitingMax = 10_000;
const closeMs = 5_000;

export function createMails(parts: {
  /** Undefined: this server sends no mails. */
  transport: MailTransport | undefined;
  word: (letter: Letter) => Promise<Message>;
  audit: Pick<Audit, 'note'>;
  log: Logger;
  metrics: Metrics;
  /** Delays before the retries, in milliseconds. */
  retryMs?: readonly number[];
}): Mails {
  const { transport, word, audit, log, metrics, retryMs = [2_000, 15_000, 60_000, 240_000, 600_000] } = parts;
  const waiting: Job[] = [];
  const running = new Set<Promise<void>>();
  const resting = new Map<Job, NodeJS.Timeout>();
  let closing = false;

  const gaveUp = ({ letter, tries }: Job, reason: string): void => {
    metrics.count('mails_total', { outcome: 'failed' });
    log.error({ mail: letter?.kind, subject: letter?.subject, tries, reason }, 'a mail could not be sent');
    if (letter) audit.note('mail.failed', { subject: letter.subject, detail: { mail: letter.kind, reason } });
  };

  const deliver = async (letter: Letter): Promise<Delivery> => {
    if (!transport) return { outcome: 'failed', forGood: true, reason: 'SMTP_URL is not set' };
    const delivery = await transport.deliver(await word(letter));
    if (delivery.outcome === 'sent') {
      metrics.count('mails_total', { outcome: 'sent' });
      log.info({ mail: letter.kind, subject: letter.subject }, 'a mail was sent');
    }
    return delivery;
  };

  const work = async (job: Job): Promise<void> => {
    let delivery: Delivery;
    try {
      const letter = job.letter ?? (await job.look());
      if (letter === undefined) return;
      job.letter = letter;
      delivery = await deliver(letter);
    } catch (error) {
      // If the database is down, the look-up is retried. The error message stays out of the audit record.
      log.warn({ err: error }, 'a mail could not be prepared');
      delivery = { outcome: 'failed', forGood: false, reason: 'it could not be prepared' };
    }
    if (delivery.outcome === 'sent') return;
    const pause = retryMs[job.tries];
    job.tries += 1;
    if (delivery.forGood || pause === undefined || closing) return gaveUp(job, delivery.reason);
    log.warn({ mail: job.letter?.kind, reason: delivery.reason, retryMs: pause }, 'a mail has to wait');
    const again = setTimeout(() => {
      resting.delete(job);
      add(job);
    }, pause);
    again.unref();
    resting.set(job, again);
  };

  const pump = (): void => {
    while (running.size < atOnce) {
      const job = waiting.shift();
      if (job === undefined) return;
      const run = work(job).finally(() => {
        running.delete(run);
        pump();
      });
      running.add(run);
    }
  };

  const add = (job: Job): void => {
    if (waiting.length >= waitingMax || closing) gaveUp(job, closing ? 'the server stopped' : 'too many mails wait');
    else waiting.push(job);
    pump();
  };

  /** The response leaves first. The random delay hides the work after it from measurements of the response time. */
  const answerFirst = (): Promise<void> => (closing ? Promise.resolve() : sleep(20 + Math.random() * 60));

  const settled = async (): Promise<void> => {
    while (running.size > 0 || waiting.length > 0) await Promise.all(running);
  };

  return {
    work: transport !== undefined,
    send(letter) {
      if (transport) add({ look: async () => letter, letter, tries: 0 });
      else log.info({ mail: letter.kind, subject: letter.subject }, 'no mail was sent: SMTP_URL is not set');
    },
    later(look) {
      if (!transport) return;
      let first = true;
      add({
        tries: 0,
        async look() {
          if (first) await answerFirst();
          first = false;
          return look();
        },
      });
    },
    sendNow: deliver,
    settled,
    async close() {
      closing = true;
      const late = new AbortController();
      await Promise.race([settled(), sleep(closeMs, undefined, { signal: late.signal, ref: false })]).finally(() =>
        late.abort(),
      );
      for (const [job, again] of resting) {
        clearTimeout(again);
        gaveUp(job, 'the server stopped');
      }
      for (const job of waiting.splice(0)) gaveUp(job, 'the server stopped');
    },
  };
}
