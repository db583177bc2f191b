/**
 * Pages on a slow line: scripts and pictures come after the first paint, the style sheet after the whole page. What has
 * moved by then without a person's doing is a layout shift (https://wicg.github.io/layout-instability/).
 */
import type { Visitor } from '../support/chromium.ts';

export interface SlowLine {
  /** Goes there: what moved on the way, and how far. Nothing, as a rule. */
  goto(address: string, options?: { readonly slowStyles?: boolean }): Promise<string[]>;
}

/** Milliseconds. A page whose first paint waits for a script would wait forever. */
const longest = 10_000;

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
    return noted.map(({ value, sources }) =>
      value.toFixed(4) + ': ' + sources.map(({ node }) => nameOf(node).slice(0, 80)).join(' | '));
  };
  new PerformanceObserver(() => tellsOf('paint')).observe({ type: 'paint', buffered: true });
  // Deferred scripts run after this.
  document.addEventListener('readystatechange', () => tellsOf('end'));
}`;

/** Every page of this tab from now on. */
export async function slowDown({ page, context }: Visitor): Promise<SlowLine> {
  let told = newSignals();
  let slow = false;
  await context.exposeBinding('tellsOf', (_, what: keyof Signals) => told[what].resolve());
  await context.addInitScript(observer);
  await page.route('**/*', async (route) => {
    const { paint, end, late } = told;
    const kind = route.request().resourceType();
    const heldUntil = async (told: Promise<void>) => void (await Promise.race([told, late(kind)]));
    if (['script', 'image', 'font'].includes(kind)) await heldUntil(paint.promise);
    if (kind === 'stylesheet' && slow) {
      await heldUntil(end.promise);
      // Time for a first paint that does not wait for the style sheet.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await route.continue();
  });
  return {
    async goto(address, { slowStyles = false } = {}) {
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
  return {
    paint: Promise.withResolvers<void>(),
    end: Promise.withResolvers<void>(),
    waited,
    late: (kind: string) =>
      new Promise<void>((resolve) => {
        const giveUp = () => {
          waited.push(`the first paint waits for a ${kind}`);
          resolve();
        };
        timers.push(setTimeout(giveUp, longest));
      }),
    stop: () => timers.forEach(clearTimeout),
  };
}
