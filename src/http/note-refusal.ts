/** Records a refused request outside the engine, and links the response to its explanation. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CheckName, EndpointName } from '../core/refusals/checks.ts';
import type { Refusals, Refused } from '../core/refusals/refusals.ts';
import { whyLink } from './why-link.ts';

export interface RefusedRequest extends Pick<Refused, 'caller' | 'clientId' | 'expected' | 'received' | 'advice'> {
  readonly endpoint: EndpointName;
  readonly status: number;
  /** The error code of the response. It determines the check, unless `check` is set. */
  readonly code: string;
  readonly check?: CheckName | undefined;
}

/** Returns the reference. Only for a status from 400 to 499. */
export type NoteRefusal = (
  res: Pick<ServerResponse, 'setHeader' | 'headersSent'> | undefined,
  refused: RefusedRequest,
) => string;

const checkOfCode: Readonly<Record<string, CheckName>> = {
  invalid_request: 'parameter_invalid',
  invalid_redirect_uri: 'metadata',
  invalid_client_metadata: 'metadata',
  unauthorized: 'credentials',
  invalid_token: 'token_invalid',
  insufficient_scope: 'scope_insufficient',
  access_denied: 'forbidden',
  forbidden: 'forbidden',
  not_found: 'not_found',
  method_not_allowed: 'method',
  conflict: 'name',
  payload_too_large: 'body_too_large',
  unsupported_media_type: 'media_type',
  too_many_requests: 'throttled',
};

export function createNoteRefusal({
  refusals,
  issuer,
}: {
  refusals: Pick<Refusals, 'note'>;
  issuer: string;
}): NoteRefusal {
  return (res, { code, check = checkOfCode[code] ?? 'other', ...refused }) => {
    const reference = refusals.note({ ...refused, check, error: code });
    if (res && !res.headersSent) res.setHeader('Link', whyLink(issuer, reference));
    return reference;
  };
}

/** Method and path of a request, without the query, which may hold secrets. */
export function askedOf({ method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>): string {
  return `${method} ${url.split('?', 1)[0] ?? ''}`;
}
