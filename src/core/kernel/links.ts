/**
 * One-time links that are mailed or handed over. Whoever has one may do what it is for, once: it holds 256 random bits, only its
 * digest is stored, and it ends by itself. Looking at one (a mail scanner opens every address it finds) uses nothing up.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import type { LinkRow, LinkStore } from '../stores/links.ts';

type LinkPurpose = 'confirm-email' | 'reset-password' | 'invitation' | 'pass';

interface MadeLink {
  /** Goes into the link. */
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface Links {
  /** All throw `Unavailable`. */
  make(
    purpose: LinkPurpose,
    link: { readonly subject: string | null; readonly detail: JsonObject; readonly seconds: number },
  ): Promise<MadeLink>;
  /** Undefined where it is unknown, used or over. */
  look(purpose: LinkPurpose, token: string): Promise<LinkRow | undefined>;
  /** Those of one account are good no more. */
  endAll(subject: string): Promise<void>;
  /**
   * Uses the link up and does what it is for; of concurrent calls one gets that far. Where nothing came of it (`done` is false, or
   * it threw) the link is good as before. Undefined where it is unknown, used or over.
   */
  spend<T>(
    purpose: LinkPurpose,
    token: string,
    work: (link: LinkRow) => Promise<{ readonly done: boolean; readonly result: T }>,
  ): Promise<T | undefined>;
}

export function createLinks(store: LinkStore): Links {
  const look = async (purpose: LinkPurpose, token: string): Promise<LinkRow | undefined> => {
    const link = await store.find(digest(token));
    return link?.purpose === purpose && link.expiresAt > nowSeconds() ? link : undefined;
  };

  return {
    async make(purpose, { subject, detail, seconds }) {
      const token = randomToken();
      const expiresAt = nowSeconds() + seconds;
      await store.insert({ key: digest(token), purpose, subject, detail, expiresAt });
      return { token, expiresAt };
    },

    look,
    endAll: (subject) => store.removeOf(subject),

    async spend(purpose, token, work) {
      // Looked at first: one link must not use up another that is for something else.
      if ((await look(purpose, token)) === undefined) return undefined;
      const link = await store.take(digest(token));
      if (link === undefined) return undefined;
      let done = false;
      try {
        const worked = await work(link);
        done = worked.done;
        return worked.result;
      } finally {
        if (!done) await store.insert(link);
      }
    },
  };
}
