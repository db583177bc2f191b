/** Renders a deployment's own views at start, so that their errors show before a user meets them. */
import type { Renderer } from './render.ts';
import type { ViewState } from './state.ts';

/** Throws an error that names the file and its problem. */
export function tryViews(renderer: Renderer, states: readonly ViewState[]): void {
  // The layout and the parts stand in every page.
  const everywhere = renderer.overridden.some((name) => name === 'layout' || name.startsWith('parts/'));
  for (const { name, view, locals } of states) {
    if (!everywhere && !renderer.overridden.includes(view)) continue;
    try {
      renderer.render(view, locals, { locale: 'en' });
    } catch (error) {
      const { message, cause } = error as Error;
      throw new Error(`${message} (in the state ${name}): ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }
}
