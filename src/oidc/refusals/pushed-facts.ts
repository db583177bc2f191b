/** Why a pushed authorization request is demanded or refused. A request_uri is shown by its shape only. */
import { profileOf } from '../../core/clients/metadata/profiles.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import { shapeOf } from '../../core/refusals/shown.ts';
import type { Asked, Facts } from './recorded.ts';

export function pushedFacts(check: CheckName, { params, client }: Asked): Facts {
  if (check !== 'pushed_required')
    return { expected: 'a request_uri that this client has just pushed', received: shapeOf(params.request_uri) };
  const profile = profileOf(client?.metadata ?? {});
  const why = client?.metadata.require_pushed_authorization_requests === true ? profile : 'server';
  const reasons: Readonly<Record<string, string>> = {
    fapi2: 'Its profile fapi2 demands it.',
    server: 'REQUIRE_PUSHED_AUTHORIZATION_REQUESTS demands it of all clients.',
  };
  const reason = reasons[why] ?? 'Its require_pushed_authorization_requests demands it.';
  return {
    expected: 'client_id and request_uri',
    received: 'the parameters in the address',
    advice: `${reason} Send the parameters to /oauth/par, and only client_id and request_uri to the browser.`,
  };
}
