/** Tries a deployment's own views at start, so that what is wrong with one is known before somebody meets it. */
import type { Renderer } from './render.ts';
import type { ViewState } from './state.ts';

/** Throws with the name of the file and what is wrong in it. */
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
