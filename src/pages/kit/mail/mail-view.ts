/**
 * The view of mails, `mail.ejs`: one template for every kind. A deployment replaces it like the view of a page. It is
 * no page: it has no layout and no style sheet, and its only name is `it`.
 */
import { readFileSync } from 'node:fs';
import ejs from 'ejs';
import type { MailContent } from '../../../core/mail/mail-content.ts';
import { findViews } from '../view-files.ts';
import type { MailColours } from './mail-colours.ts';

/** What `mail.ejs` receives. */
export interface MailLocals extends MailContent {
  /** Whole addresses. Undefined if mail programs could not show the logo. */
  readonly logo?: { readonly light: string; readonly dark?: string | undefined } | undefined;
  readonly colours: { readonly light: MailColours; readonly dark: MailColours };
}

type MailView = (locals: MailLocals) => string;

/** Throws an error that names the file if it is not a template. */
export function openMailView(viewsDir: string, overrideDir: string | undefined): MailView {
  const file = findViews(viewsDir, overrideDir).fileOf('mail');
  const template = ejs.compile(readFileSync(file, 'utf8'), {
    strict: true,
    destructuredLocals: ['it'],
    compileDebug: false,
    filename: file,
  });
  return (it) => {
    try {
      return template({ it });
    } catch (cause) {
      throw new Error(`view ${file} failed to render`, { cause });
    }
  };
}

/** Renders a deployment's own view at start. Throws an error that names the file and its problem. */
export function tryMailView(
  viewsDir: string,
  overrideDir: string | undefined,
  states: Readonly<Record<string, MailLocals>>,
): void {
  const view = openMailView(viewsDir, overrideDir);
  for (const [name, locals] of Object.entries(states)) {
    try {
      view(locals);
    } catch (error) {
      const { message, cause } = error as Error;
      throw new Error(`${message} (in the state ${name}): ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }
}
