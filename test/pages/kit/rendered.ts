/** The pages as this server's own renderer makes them, for the suites that read the markup of the states. */
import { join } from 'node:path';
import { openBrand } from '../../../src/pages/kit/brand/brand.ts';
import { createRenderer } from '../../../src/pages/kit/render.ts';
import { serveStatic } from '../../../src/pages/kit/static.ts';
import { loadTexts } from '../../../src/pages/kit/texts.ts';
import { states } from '../../../src/pages/states.ts';

const root = join(import.meta.dirname, '../../..');
const viewsDir = join(root, 'views');

export const renderer = createRenderer({
  viewsDir,
  brand: openBrand({ name: 'Gatehouse' }),
  texts: loadTexts(join(viewsDir, 'texts')),
  statics: serveStatic(join(root, 'public')),
});

/** The page of a state, in English. */
export function page(name: string): string {
  const state = states.find((each) => each.name === name);
  if (!state) throw new Error(`no state ${name}`);
  return renderer.render(state.view, state.locals, { locale: 'en' });
}
