/** What people are sent: from the mailbox of a development server, or through a real SMTP server on this machine. */
import { once } from 'node:events';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { KeptMail } from '../../src/mail/mailbox.ts';
import { Agent, type Answer } from './agent.ts';
import { freePort } from './free-port.ts';
import type { TestServer } from './server.ts';

/** Everything that this server has sent to an address so far, the newest first. */
export async function mailsTo(server: TestServer, address: string): Promise<readonly KeptMail[]> {
  await server.core.mails.settled();
  const { mailbox } = server.core;
  if (!mailbox) throw new Error('this server keeps no mails');
  return mailbox.list().filter(({ to }) => to === address);
}

/** The link to the page of mails that the start prints. It lets one browser in. */
export function devMailsLink({ core, url }: TestServer): string {
  if (!core.mailbox) throw new Error('this server keeps no mails');
  return `${url}/dev/mails?key=${core.mailbox.key}`;
}

/** The newest of this kind. */
export async function mailTo(server: TestServer, address: string, kind: KeptMail['kind']): Promise<KeptMail> {
  // Mails of one moment come in any order.
  const mails = await mailsTo(server, address);
  const mail = mails.find((each) => each.kind === kind);
  if (!mail) throw new Error(`expected a ${kind} for ${address}, found ${mails.map((each) => each.kind).join(', ')}`);
  return mail;
}

export function linkIn(mail: Pick<KeptMail, 'link'>): string {
  if (mail.link === undefined) throw new Error('there is no link in this mail');
  return mail.link;
}

/** Opens a page and sends its form back to the form's own address. */
export async function fill(agent: Agent, address: string, fields: Record<string, string>): Promise<Answer> {
  return send(agent, await agent.go(address), fields);
}

export async function send(agent: Agent, page: Answer, fields: Record<string, string>): Promise<Answer> {
  const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1];
  if (action === undefined || csrf === undefined)
    throw new Error(`no form on ${page.url} (${page.status}): ${headingOf(page)}`);
  return landed(agent, await agent.go(action, { form: { csrf, ...fields } }));
}

/** An agent stops where a code is handed over. That of the account pages leads on to a page. */
export async function landed(agent: Agent, answer: Answer): Promise<Answer> {
  return answer.location?.includes('/account/callback?') ? agent.go(answer.location) : answer;
}

export const headingOf = ({ text }: Answer): string | undefined => /<h1>(.*?)<\/h1>/.exec(text)?.[1];

/** Asks for a new password as a person would, and has the link, if one was sent. */
export async function resetLinkFor(server: TestServer, typed: string, address: string): Promise<string | undefined> {
  const before = (await mailsTo(server, address)).length;
  await fill(new Agent(server), '/forgot', { username: typed });
  const mails = await mailsTo(server, address);
  return mails.length > before && mails[0]?.kind === 'reset-password' ? linkIn(mails[0]) : undefined;
}

export interface Received {
  readonly from: string;
  /** The envelope's. */
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  /** As it came. */
  readonly source: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The source, decoded so that its words and links can be found. */
  readonly readable: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** Takes mails, over TLS where `secure` or the client asks for it (with a certificate that no authority has signed). */
export async function startSmtp({ port, ...options }: SMTPServerOptions & { port?: number } = {}): Promise<SmtpServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    // Its own certificate will do here, and it need not warn of it.
    logger: false,
    closeTimeout: 100,
    // Nothing is looked up: the test's machine has no names.
    disableReverseLookup: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const source = Buffer.concat(chunks).toString();
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : undefined,
          secure: session.secure === true,
          source,
          headers: headersOf(source),
          readable: source
            .replaceAll('=\r\n', '')
            .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {
    // A client that gives up is part of these tests.
  });
  const listening = server.listen(port ?? (await freePort()), '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function headersOf(source: string): ReadonlyMap<string, string> {
  const [head = ''] = source.split('\r\n\r\n', 1);
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
}

/** Waits for something that comes about by itself; the test's own time limit ends the waiting. */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
