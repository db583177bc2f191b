/**
 * Contact sheets: per page and look one picture with all states of the page as thumbnails. One tab visits the states,
 * once in each language; another one lays the sheets out. A long page is cut, a dashed line shows where the screen ends.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { galleryAddress } from '../../../dev/gallery/gallery.ts';
import type { ViewState } from '../../../src/pages/kit/state.ts';
import { buildVisitor } from '../../support/chromium.ts';
import type { TestServer } from '../../support/server.ts';
import { sticksOut, unfolded } from '../looks.ts';
import type { SheetLook } from './sheet-looks.ts';

interface Thumbnail {
  readonly name: string;
  /** A data: address. */
  readonly picture: string;
  /** CSS pixels of the thumbnail. */
  readonly width: number;
  readonly height: number;
  readonly cut: boolean;
  readonly wider: boolean;
}

export interface SheetOptions {
  readonly browser: Browser;
  readonly server: TestServer;
  readonly states: readonly ViewState[];
  readonly looks: readonly SheetLook[];
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Screens of a page that are shown, and CSS pixels of a sheet. A sheet that would be higher gets a second part. */
const most = { screens: 4, sheetHeight: 1300 };
const gap = 16;

/** `DIR/<view>-<look>.png`. Resolves to the names of the pages that are wider than their screen. */
export async function takeSheets({ browser, server, states, looks, folder, say }: SheetOptions): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const visitor = await buildVisitor(browser, server, { reducedMotion: 'reduce' });
  const easel = await easelIn(browser);
  const camera = await visitor.context.newCDPSession(visitor.page);
  const wider: string[] = [];
  for (const [view, itsStates = []] of Object.entries(Object.groupBy(states, (state) => state.view))) {
    const taken = new Map(looks.map((look) => [look, [] as Thumbnail[]]));
    for (const state of itsStates)
      for (const [locale, itsLooks = []] of Object.entries(Object.groupBy(looks, (look) => look.locale))) {
        await visitor.page.goto(`${galleryAddress(state)}?locale=${locale}`);
        for (const look of itsLooks) {
          const take = (name: string) => thumbnailOf(name, look, visitor.page, camera);
          taken.get(look)?.push(await take(state.name));
          if (look.unfolds)
            taken.get(look)?.push(...(await unfolded(visitor.page, (what) => take(`${state.name}, ${what}`))));
        }
      }
    for (const [look, thumbnails] of taken) {
      await layOut(easel, `${view} · ${look.name}`, look, thumbnails, join(folder, `${view}-${look.name}`));
      wider.push(...thumbnails.filter((one) => one.wider).map(({ name }) => `${name}, ${look.name}`));
    }
    say(`${view}: ${itsStates.length} states`);
  }
  await visitor.context.close();
  await easel.page.context().close();
  return wider;
}

async function thumbnailOf(name: string, look: SheetLook, page: Page, camera: CDPSession): Promise<Thumbnail> {
  const { colorScheme, forcedColors = 'none', width, height, scale } = look;
  await page.emulateMedia({ colorScheme, forcedColors });
  await page.setViewportSize({ width, height });
  const whole = await page.evaluate<number>('document.documentElement.scrollHeight');
  const shown = Math.min(whole, height * most.screens);
  const { data } = await camera.send('Page.captureScreenshot', {
    format: 'jpeg',
    quality: 88,
    optimizeForSpeed: true,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height: shown, scale },
  });
  return {
    name,
    picture: `data:image/jpeg;base64,${data}`,
    width: Math.round(width * scale),
    height: Math.round(shown * scale),
    cut: shown < whole,
    wider: await sticksOut(page),
  };
}

/** Where sheets are laid out. */
interface Easel {
  readonly page: Page;
  readonly camera: CDPSession;
}

async function easelIn(browser: Browser): Promise<Easel> {
  const page = await browser.newPage();
  return { page, camera: await page.context().newCDPSession(page) };
}

async function layOut(
  { page, camera }: Easel,
  title: string,
  look: SheetLook,
  thumbnails: readonly Thumbnail[],
  path: string,
) {
  const parts = partsOf(rowsOf(thumbnails, look.columns));
  const column = Math.round(look.width * look.scale) + gap;
  const width = column * look.columns + gap;
  await page.setViewportSize({ width, height: 600 });
  for (const [index, part] of parts.entries()) {
    const number = parts.length > 1 ? ` · ${index + 1} of ${parts.length}` : '';
    await page.setContent(sheetPage(title + number, look, part));
    const height = await page.evaluate<number>('document.documentElement.scrollHeight');
    const { data } = await camera.send('Page.captureScreenshot', {
      format: 'png',
      optimizeForSpeed: true,
      captureBeyondViewport: true,
      clip: { x: 0, y: 0, width, height, scale: 1 },
    });
    writeFileSync(`${path}${index > 0 ? `-${index + 1}` : ''}.png`, Buffer.from(data, 'base64'));
  }
}

function rowsOf(thumbnails: readonly Thumbnail[], columns: number): (readonly Thumbnail[])[] {
  return Array.from({ length: Math.ceil(thumbnails.length / columns) }, (_, row) =>
    thumbnails.slice(row * columns, (row + 1) * columns),
  );
}

/** As many rows to a sheet as its height allows, and one at least. */
function partsOf(rows: readonly (readonly Thumbnail[])[]): Thumbnail[][] {
  const parts: { height: number; thumbnails: Thumbnail[] }[] = [];
  for (const row of rows) {
    const height = Math.max(...row.map((thumbnail) => thumbnail.height)) + 2 * gap;
    const last = parts.at(-1);
    if (last && last.height + height <= most.sheetHeight) {
      last.height += height;
      last.thumbnails.push(...row);
    } else parts.push({ height, thumbnails: [...row] });
  }
  return parts.map(({ thumbnails }) => thumbnails);
}

const sheetPage = (title: string, look: SheetLook, thumbnails: readonly Thumbnail[]): string => `<!doctype html>
<style>
body { margin: 0; padding: ${gap}px; background: #8a8f98; color: #fff; font: 600 14px/1.3 system-ui; }
h1 { margin: 0 0 ${gap}px; font-size: 18px; }
main { display: grid; grid-template-columns: repeat(${look.columns}, ${Math.round(look.width * look.scale)}px);
  gap: ${gap}px; align-items: start; }
figure { margin: 0; }
figcaption { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.wider { color: #ffd5d5; }
div { position: relative; }
img { display: block; }
.fold::after { content: ''; position: absolute; inset-inline: 0; top: ${Math.round(look.height * look.scale)}px;
  border-top: 1px dashed #d0006f; }
</style>
<h1>${title}</h1>
<main>${thumbnails.map((thumbnail) => figureOf(thumbnail, look)).join('')}</main>`;

function figureOf({ name, picture, width, height, cut, wider }: Thumbnail, look: SheetLook): string {
  const remarks = [cut && ' (cut)', wider && ' (WIDER THAN THE SCREEN)'].filter(Boolean).join('');
  const fold = height > Math.round(look.height * look.scale) + 1 ? ' class="fold"' : '';
  return `<figure><figcaption${wider ? ' class="wider"' : ''}>${name}${remarks}</figcaption>
<div${fold}><img src="${picture}" alt="" width="${width}" height="${height}"></div></figure>`;
}
