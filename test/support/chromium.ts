/**
 * A real Chromium, for the tests of the pages. It reaches this machine and nothing else: the application's site,
 * https://app.example.com, is answered inside the browser, every other name does not resolve.
 */
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { placeOf } from './needs.ts';
import { eventually } from './redis-server.ts';

export function launchChromium(): Promise<Browser> {
  const chromiumPath = placeOf('Chromium');
  if (chromiumPath === undefined) throw new Error('there is no Chromium');
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
    ],
  });
}

/** The site of the test's application: where people are sent back to. */
export const applicationSite = 'https://app.example.com';

export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What no page may cause: script errors, violations of its own policy, failed parts, requests to another origin. */
  readonly problems: readonly string[];
  /** Another tab of the same browser. */
  newTab(): Promise<Page>;
}

/** A person with a browser of their own, standing before this server. */
export async function buildVisitor(
  browser: Browser,
  server: { readonly url: string },
  { alsoTo = [], ...options }: BrowserContextOptions & { readonly alsoTo?: readonly string[] } = {},
): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: server.url, ...options });
  // Something is wrong then, not slow: the machine may have other work.
  context.setDefaultTimeout(60_000);
  const problems: string[] = [];
  const origins = new Set([server.url, applicationSite, ...alsoTo]);
  context.on('weberror', (error) => problems.push(`script: ${error.error().message}`));
  context.on('console', (message) => {
    // A page that says 404 or 422 is no problem; a part of a page that does is one, and is seen below.
    const status = /^Failed to load resource: the server responded with a status of/.test(message.text());
    if (message.type() === 'error' && !status) problems.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && !origins.has(origin)) problems.push(`elsewhere: ${request.url()}`);
  });
  context.on('response', (response) => {
    const part = !['document', 'fetch'].includes(response.request().resourceType());
    if (part && response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', (event) =>
       console.error('policy: ' + event.effectiveDirective + ' ' + event.blockedURI))`,
  );
  const newTab = async () => {
    const page = await context.newPage();
    await answerForApplication(page);
    return page;
  };
  return { context, page: await newTab(), problems, newTab };
}

/** Everybody goes home. */
export async function closeVisitors(browser: Browser): Promise<void> {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

/**
 * Stands in for the application's server, which is the outside world here. Playwright's own routes do not see a request
 * that a redirect made, and being redirected to is all that ever happens to an application.
 */
async function answerForApplication(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  session.on('Fetch.requestPaused', ({ requestId }) => {
    const body = Buffer.from('<!doctype html><title>Bookshelf</title><link rel="icon" href="data:,">').toString(
      'base64',
    );
    const responseHeaders = [{ name: 'Content-Type', value: 'text/html' }];
    session.send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders, body }).catch(() => {
      // The tab is gone.
    });
  });
  await session.send('Fetch.enable', { patterns: [{ urlPattern: `${applicationSite}/*` }] });
}

/** What the application was sent. */
export async function arrived(page: Page, address = `${applicationSite}/cb`): Promise<URLSearchParams> {
  // Not `waitForURL`, which ends with the first of two navigations, as after a double press.
  await eventually(address, () => page.url().startsWith(address), 60_000);
  // Chromium may still be handing the tab over to the new page, and can go nowhere until that is there.
  await page.waitForLoadState();
  return new URL(page.url()).searchParams;
}
