import type { JsonValue } from '../../base/json.ts';
import { redirectHosts, schemes, scopeNames } from '../../config/client-kinds.ts';
import type { Kind } from '../../config/kinds.ts';
import { schemeMistake } from '../../core/clients/metadata/redirect-schemes.ts';
import type { InitialToken, RegistrationPolicy } from '../../core/stores/registrations.ts';
import { type Call, type Command, done, type Noun, refused, via } from '../command.ts';
import { day, facts, shownOnce, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const DAY = 86_400;

function presented({ hash: _hash, ...token }: InitialToken): { [member: string]: JsonValue } {
  const { policy } = token;
  return {
    id: token.id,
    label: token.label,
    uses: token.uses,
    uses_max: token.usesMax,
    scopes: policy.scopes === null ? null : [...policy.scopes],
    redirect_hosts: policy.redirectHosts === null ? null : [...policy.redirectHosts],
    redirect_schemes: [...policy.redirectSchemes],
    grant_types: policy.grants === null ? null : [...policy.grants],
    reviewed: policy.reviewed,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
  };
}

const usesOf = ({ uses, usesMax }: InitialToken): string => `${uses} of ${usesMax ?? 'any number'}`;

const create: Command = {
  name: 'create',
  sentence: 'Make an initial access token, with which clients register themselves. It is shown only now.',
  options: [
    { flags: '--label <text>', sentence: 'A name for lists.' },
    { flags: '--uses <number>', sentence: 'How many clients may register. Without it: one.', number: [1, 1_000_000] },
    { flags: '--unlimited', sentence: 'Any number of clients may register.' },
    { flags: '--days <number>', sentence: 'How long it works. Without it: 30 days.', number: [1, 3660] },
    {
      flags: '--scope <name>',
      sentence: 'A scope that its clients may have. Without it: as the settings say.',
      many: true,
    },
    {
      flags: '--redirect-host <host>',
      sentence: 'A host of their redirect URIs: a name, *.example.com or loopback. Without it: as the settings say.',
      many: true,
    },
    { flags: '--redirect-scheme <scheme>', sentence: 'A private-use scheme of their redirect URIs.', many: true },
    {
      flags: '--grant-type <name>',
      sentence: 'A grant that they may have. Without it: authorization_code and refresh_token.',
      many: true,
    },
    { flags: '--reviewed', sentence: 'You vouch for its clients: they are reviewed at once and never expire.' },
  ],
  details:
    'Clients send it as Authorization: Bearer TOKEN to /oauth/register. The policy also holds when such a client changes its registration later.',
  examples: [
    'registration-tokens create --label "book team" --uses 20 --days 7',
    'registration-tokens create --label conformance --reviewed --redirect-host app.example.com --grant-type authorization_code',
  ],
  async run(call) {
    const policy = await policyIn(call);
    const core = await call.core();
    const uses = call.number('uses');
    if (call.flag('unlimited') === true && uses !== undefined)
      throw new UsageError('--uses and --unlimited contradict each other. Leave one out.');
    const { value, token } = await core.initialTokens.create({
      label: call.text('label') ?? '',
      policy,
      usesMax: call.flag('unlimited') === true ? null : (uses ?? 1),
      lifetime: (call.number('days') ?? 30) * DAY,
    });
    await core.audit.record('registration_token.made', {
      detail: { ...via, token: token.id, reviewed: policy.reviewed },
    });
    const { registration } = await call.config();
    const off = registration.mode === 'off' ? '\n\nREGISTRATION is off: no client can use it yet.' : '';
    const shown = facts({
      'Initial access token': `${value}  ${shownOnce}`,
      Id: token.id,
      Label: token.label,
      Uses: usesOf(token),
      'Works until': day(token.expiresAt),
      Scopes: policy.scopes?.join(' '),
      'Redirect hosts': policy.redirectHosts?.join(' '),
      'Added schemes': policy.redirectSchemes.join(' '),
      'Grant types': policy.grants?.join(', '),
      Review: policy.reviewed ? 'its clients are reviewed at once' : 'its clients are unreviewed',
    });
    return done({ ...presented(token), initial_access_token: value }, `There is a new token.\n\n${shown}${off}`);
  },
};

async function policyIn(call: Call): Promise<RegistrationPolicy> {
  const { offered } = await import('../../core/clients/metadata/client-members-shape.ts');
  const offeredGrants: readonly string[] = offered.grant_types;
  const grants = call.texts('grant-type');
  const unknown = grants.find((grant) => !offeredGrants.includes(grant));
  if (unknown !== undefined) throw new UsageError(`--grant-type: wanted one of ${offeredGrants.join(', ')}.`);
  const added = checked(call, 'redirect-scheme', schemes) ?? [];
  const mistake = added.map(schemeMistake).find((found) => found !== undefined);
  if (mistake !== undefined) throw new UsageError(`--redirect-scheme ${mistake}.`);
  return {
    scopes: checked(call, 'scope', scopeNames),
    redirectHosts: checked(call, 'redirect-host', redirectHosts),
    redirectSchemes: added,
    grants: grants.length === 0 ? null : [...new Set(grants)],
    reviewed: call.flag('reviewed') === true,
  };
}

/** Null if the option is not given. */
function checked(call: Call, option: string, kind: Kind<readonly string[]>): readonly string[] | null {
  const given = call.texts(option);
  if (given.length === 0) return null;
  const values = kind.parse(given.join(' '));
  if (values === undefined) throw new UsageError(`--${option}: wanted ${kind.wanted.replaceAll('`', '')}.`);
  return values;
}

const list: Command = {
  name: 'list',
  sentence: 'List the initial access tokens. Only hashes of them are stored.',
  examples: ['registration-tokens list'],
  async run(call) {
    const tokens = await (await call.core()).initialTokens.list();
    const rows = tokens.map((token) => [
      token.id,
      token.label,
      usesOf(token),
      day(token.createdAt),
      day(token.lastUsedAt),
      day(token.expiresAt) || 'it is revoked',
      token.policy.reviewed ? 'reviewed' : 'unreviewed',
    ]);
    const titles = ['ID', 'LABEL', 'USES', 'MADE', 'LAST USED', 'WORKS UNTIL', 'ITS CLIENTS'];
    return done(tokens.map(presented), table(titles, rows, 'There are no initial access tokens.'));
  },
};

const revoke: Command = {
  name: 'revoke',
  sentence: 'Revoke an initial access token. Clients that registered with it stay.',
  args: [{ name: '<id>', sentence: 'The id of the token, as in the list.' }],
  examples: ['registration-tokens revoke 4f1c2a90b7de'],
  async run(call) {
    const [id = ''] = call.args;
    const core = await call.core();
    if (!(await core.initialTokens.revoke(id)))
      return refused('not_found', `There is no initial access token ${id}. See: registration-tokens list`);
    await core.audit.record('registration_token.revoked', { detail: { ...via, token: id } });
    return done({ id, revoked: true }, `Revoked the initial access token ${id}.`);
  },
};

export const registrationTokens: Noun = {
  name: 'registration-tokens',
  sentence: 'Initial access tokens, with which clients register themselves.',
  commands: [create, list, revoke],
};
