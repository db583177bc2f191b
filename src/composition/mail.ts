/** Mails: how they leave, how they are worded, and how many of them people may ask for. */
import { join } from 'node:path';
import { createMailLimits } from '../core/mail/mail-limits.ts';
import { createMails } from '../core/mail/mails.ts';
import { createWording } from '../mail/letters.ts';
import { openMail } from '../mail/open.ts';
import { buttonColours } from '../pages/kit/brand/theme.ts';
import { loadTexts, type Texts } from '../pages/kit/texts.ts';
import type { Infrastructure } from './infrastructure.ts';

const textsDir = join(import.meta.dirname, '../../views/texts');

export function composeMail({ config, audit, log, print, metrics, throttle }: Infrastructure) {
  let catalogue: Texts | undefined;
  const { transport, mailbox } = openMail(config.mail, print);
  const mails = createMails({
    transport,
    // The server has read the catalogue for its pages; a command reads it with its first mail.
    word: createWording({
      ...config,
      button: config.brand.accent === undefined ? undefined : buttonColours(config.brand.accent),
      catalogue: () => (catalogue ??= loadTexts(textsDir, config.viewsDir && join(config.viewsDir, 'texts'))),
    }),
    audit,
    log,
    metrics,
  });
  const mailLimits = createMailLimits({
    throttle,
    settings: { mailbox: config.mail.limit, address: config.mail.addressLimit },
  });
  return { mails, mailbox, mailLimits };
}
