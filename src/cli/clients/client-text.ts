/** An application as administrators see it. */
import type { JsonValue } from '../../base/json.ts';
import { secretId, secretName } from '../../core/clients/client-secrets.ts';
import { consentPolicyOf } from '../../core/clients/consent-policy.ts';
import { brokenPromises } from '../../core/clients/metadata/client-promises.ts';
import type { ClientRecord, ClientSecret } from '../../core/stores/clients.ts';
import { day, facts, shownOnce } from '../text.ts';
import { risksOf, riskWords } from './client-risks.ts';

/** RFC 7591, section 3.2.1, plus members for administrators. Secrets are stored as hashes and not shown. */
export function presented(client: ClientRecord, secret?: string): { [member: string]: JsonValue } {
  return {
    client_id: client.id,
    // Section 3.2.1 requires it if there is a secret; 0 means that it does not expire.
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    client_id_issued_at: client.createdAt,
    ...kept(client),
    updated_at: client.updatedAt,
    reviewed_at: client.reviewedAt,
    disabled_at: client.disabledAt,
    origin: client.origin,
    owner: client.owner,
    version: client.version,
    risks: riskWords(client),
    secrets: client.secrets.map(presentedSecret),
  };
}

export function presentedSecret(secret: ClientSecret): { [member: string]: JsonValue } {
  return {
    id: secretId(secret),
    name: secretName(secret),
    created_at: secret.createdAt,
    expires_at: secret.expiresAt,
  };
}

/** Only protection that the application has is listed. */
function kept({ metadata }: ClientRecord): ClientRecord['metadata'] {
  const broken = brokenPromises(metadata);
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !broken.includes(name)));
}

export const nameOf = ({ id, metadata }: ClientRecord): string =>
  typeof metadata.client_name === 'string' ? metadata.client_name : id;

export const listed = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : typeof value === 'string' ? [value] : [];

export function shown(client: ClientRecord, secret?: string): string {
  const { metadata } = client;
  const secrets = client.secrets.map((secret) => {
    const name = secretName(secret) === '' ? '' : `${secretName(secret)}: `;
    const end = secret.expiresAt === null ? '' : `, works until ${day(secret.expiresAt)}`;
    return `${name}made ${day(secret.createdAt)}${end}`;
  });
  return facts({
    'Client id': client.id,
    'Client secret': secret === undefined ? undefined : `${secret}  ${shownOnce}`,
    Name: listed(metadata.client_name),
    Profile: listed(metadata.profile),
    Status: status(client),
    Review: client.reviewedAt === null ? 'unreviewed' : `reviewed on ${day(client.reviewedAt)}`,
    'Redirect URIs': listed(metadata.redirect_uris),
    'After logout': listed(metadata.post_logout_redirect_uris),
    'Told of logouts': listed(metadata.backchannel_logout_uri),
    'Grant types': listed(metadata.grant_types).join(', '),
    Authentication: listed(metadata.token_endpoint_auth_method),
    PKCE: metadata.require_pkce === false && client.reviewedAt !== null ? 'optional' : 'required',
    DPoP: metadata.dpop_bound_access_tokens === true ? 'required' : '',
    'Pushed requests': metadata.require_pushed_authorization_requests === true ? 'required' : '',
    'Added schemes': listed(metadata.redirect_schemes).join(', '),
    'Second factor': listed(metadata.second_factor),
    'Refresh reuse': refreshReuseText(client),
    Consent: consentText(client),
    Scopes: listed(metadata.scope),
    'ID token claims': listed(metadata.id_token_claims ?? 'minimal').join(),
    Risks: risksOf(client).map(({ sentence }) => sentence),
    Contacts: listed(metadata.contacts),
    Secrets: secret === undefined ? secrets : secrets.slice(1),
    Origin: client.origin,
    Owner: client.owner,
    Version: String(client.version),
    Made: day(client.createdAt),
    Changed: client.version > 1 ? day(client.updatedAt) : '',
  });
}

function refreshReuseText({ metadata }: ClientRecord): string {
  const { refresh_reuse: rule, refresh_reuse_seconds: seconds } = metadata;
  return typeof seconds === 'number' ? `${rule}, ${seconds} seconds` : listed(rule).join();
}

function consentText({ metadata }: ClientRecord): string {
  return consentTexts[consentPolicyOf(metadata.consent)];
}

const consentTexts = { always: 'always asked for', new: 'asked for what is new', never: 'never asked for' } as const;

function status({ disabledAt, ownDisabledAt }: ClientRecord): string {
  if (disabledAt === null) return 'enabled';
  const since = `disabled since ${day(disabledAt)}`;
  return ownDisabledAt === null ? `${since}, with the account of its owner` : since;
}
