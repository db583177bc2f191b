/** Renders a deployment's own views at start, so that their errors show before a user meets them. */
import type { Renderer } from './render.ts';
import type { ViewState } from './state.ts';

/** Throws an error that names the file and its problem. */
export function tryViews(renderer: Renderer, states: readonly ViewState[]): void {
  const layout = renderer.overridden.includes('layout');
  for (const { name, view, locals } of states) {
    if (!layout && !renderer.overridden.includes(view)) continue;
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
