/** What all interaction pages share: the client, the form and the language. */
import type { CachedClients } from '../../../core/clients/cached-clients.ts';
import type { Csrf } from '../csrf.ts';
import { formTargets, requestOf } from './authorization-request.ts';
import { clientView } from './client-view.ts';
import type { StepContext } from './dispatcher.ts';

export async function frameOf(
  { csrf, cached }: { readonly csrf: Csrf; readonly cached: CachedClients },
  { ctx, interaction, action }: StepContext,
) {
  const request = requestOf(interaction);
  const client = clientView(await cached.find(request.clientId));
  return {
    locals: { action, csrf: csrf.token(ctx), client },
    options: { uiLocales: request.uiLocales, formTargets: formTargets(request) },
  };
}
