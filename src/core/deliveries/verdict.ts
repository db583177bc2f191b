/** What the answer to a delivery means. */
import type { OutgoingAnswer } from '../outgoing/outgoing.ts';
import { askedMs } from './backoff.ts';

/** `words`: for operators; it repeats nothing that the client sent. */
export type Verdict =
  | { readonly outcome: 'delivered' | 'failed'; readonly words: string }
  | { readonly outcome: 'again'; readonly words: string; readonly askedMs: number };

/** Faults that are likely to pass are tried again; an answer that refuses the message is final (section 2.5). */
export function verdictOf(answer: OutgoingAnswer, nowMs: number): Verdict {
  if (answer.outcome === 'failed') return { outcome: 'again', words: answer.reason, askedMs: 0 };
  if (answer.outcome === 'refused') return { outcome: 'failed', words: answer.reason };
  const { status } = answer;
  const words = `answered ${status}`;
  if (status >= 200 && status < 300) return { outcome: 'delivered', words };
  if (status === 408 || status === 429 || status >= 500)
    return { outcome: 'again', words, askedMs: askedMs(answer.headers['retry-after'], nowMs) };
  return { outcome: 'failed', words };
}
