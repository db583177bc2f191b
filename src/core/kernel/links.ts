/**
 * One-time links, mailed or handed over. A link holds 256 random bits and expires; the database stores only its digest.
 * Opening a link does not use it up, because mail scanners open every address.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import { digest, randomToken } from '../../base/secrets.ts';
import type { LinkRow, LinkStore } from '../stores/links.ts';

type LinkPurpose = 'confirm-email' | 'reset-password' | 'invitation' | 'pass';

interface MadeLink {
  /** The secret part of the link. */
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface Links {
  /** All methods throw `Unavailable`. */
  make(
    purpose: LinkPurpose,
    link: { readonly subject: string | null; readonly detail: JsonObject; readonly seconds: number },
  ): Promise<MadeLink>;
  /** Returns undefined if the link is unknown, used or expired. */
  look(purpose: LinkPurpose, token: string): Promise<LinkRow | undefined>;
  /** Ends all links of an account. */
  endAll(subject: string): Promise<void>;
  /**
   * Takes the link and runs `work`; only one of concurrent calls does. If `done` is false or `work` throws, the link is
   * valid again. Returns undefined if the link is unknown, used or expired.
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
      // Check the purpose first, so that a link for another purpose is not used up.
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
