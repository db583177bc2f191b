/**
 * Pages on a slow line: scripts and pictures come after the first paint, the style sheet after the whole page. What has
 * moved by then without a person's doing is a layout shift (https://wicg.github.io/layout-instability/).
 */
import type { Visitor } from '../support/chromium.ts';

export interface SlowLine {
  /**
   * Goes there: what moved on the way, and how far. Nothing, as a rule. `slowStyles`: milliseconds after the page in
   * which a first paint that does not wait for the style sheet shows itself.
   */
  goto(address: string, options?: { readonly slowStyles?: number }): Promise<string[]>;
}

/** Milliseconds. A page whose first paint waits for a script would wait forever. */
const longest = 30_000;

/** Stands in every page. It tells this process of the first paint and of the end of the page, and notes what moves. */
const observer = `{
  const noted = [];
  const note = (list) => noted.push(...list.filter(({ hadRecentInput }) => !hadRecentInput));
  const shifts = new PerformanceObserver((list) => note(list.getEntries()));
  shifts.observe({ type: 'layout-shift', buffered: true });
  const nameOf = (node) => node?.cloneNode(false).outerHTML ?? node?.textContent.trim() ?? 'what is gone';
  globalThis.moved = async () => {
    for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame);
    note(shifts.takeRecords());
    // Less is a rounding of parts of a pixel. A tenth is what people begin to notice.
    return noted.filter(({ value }) => value >= 0.001).map(({ value, sources }) =>
      value.toFixed(4) + ': ' + sources.map(({ node }) => nameOf(node).slice(0, 80)).join(' | '));
  };
  new PerformanceObserver((list) => {
    if (list.getEntriesByName('first-contentful-paint').length > 0) tellsOf('paint');
  }).observe({ type: 'paint', buffered: true });
  // Deferred scripts run after this.
  document.addEventListener('readystatechange', () => tellsOf('end'));
}`;

/** Every page of this tab from now on. */
export async function slowDown({ page, context }: Visitor): Promise<SlowLine> {
  let told = newSignals();
  let slow = 0;
  await context.exposeBinding('tellsOf', (_, what: keyof Signals) => told[what].resolve());
  await context.addInitScript(observer);
  await page.route('**/*', async (route) => {
    const { paint, end, late, after } = told;
    const kind = route.request().resourceType();
    const heldUntil = async (told: Promise<void>) => void (await Promise.race([told, late(kind)]));
    if (['script', 'image', 'font'].includes(kind)) await heldUntil(paint.promise);
    if (kind === 'stylesheet' && slow > 0) {
      await heldUntil(end.promise);
      await Promise.race([paint.promise, after(slow)]);
    }
    await route.fallback();
  });
  return {
    async goto(address, { slowStyles = 0 } = {}) {
      told = newSignals();
      slow = slowStyles;
      await page.goto(address);
      await told.paint.promise;
      told.stop();
      return [...told.waited, ...(await page.evaluate<string[]>('moved()'))];
    },
  };
}

interface Signals {
  readonly paint: PromiseWithResolvers<void>;
  readonly end: PromiseWithResolvers<void>;
}

function newSignals() {
  const waited: string[] = [];
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number) => new Promise<void>((resolve) => void timers.push(setTimeout(resolve, ms)));
  return {
    paint: Promise.withResolvers<void>(),
    end: Promise.withResolvers<void>(),
    waited,
    after,
    late: (kind: string) => after(longest).then(() => void waited.push(`the first paint waits for a ${kind}`)),
    stop: () => timers.forEach(clearTimeout),
  };
}
