/**
 * The schema of the file that UPSTREAMS names, and the rules between its members. Finds all mistakes at once.
 * Loaded only if there is such a file, because zod is slow to load.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { pictureAt, pictureWanted } from '../../base/picture.ts';
import { printable } from '../../base/printable.ts';
import type { ReadOptions } from '../../core/upstream/upstream-provider.ts';
import { knownMark, markFor, marks } from './marks.ts';
import { isLoopback, oauth2Claims, oidcClaims, type UpstreamSettings } from './settings.ts';
import { brokenTenants, tenantShape } from './tenant-rules.ts';

export interface ProviderMistake {
  /** Counted from 1; undefined for the file as a whole. */
  readonly provider: number | undefined;
  readonly member: string;
  readonly given: string;
  readonly wanted: string;
  readonly example: string;
}

/** The form and an example of each member. docs/upstream.md has the same rows. */
const members: Readonly<Record<string, { readonly wanted: string; readonly example: string }>> = {
  id: {
    wanted: 'up to 32 lower-case letters, digits and hyphens, the first a letter; no two providers with the same',
    example: 'id: github',
  },
  name: { wanted: 'the name people read on the button, up to 40 characters', example: 'name: GitHub' },
  logo: {
    wanted: `${pictureWanted}, a built-in mark (${marks.join(', ')}), or none`,
    example: 'logo: /etc/gatehouse/company.svg',
  },
  type: { wanted: 'oidc or oauth2', example: 'type: oidc' },
  issuer: {
    wanted: 'an https address without a user name, a query or a fragment; required for oidc',
    example: 'issuer: https://login.example.com',
  },
  issuer_template: {
    wanted:
      'the issuer of a tenant, an address on the host of issuer with {tenantid} in it once; for oidc, with tenants',
    example: 'issuer_template: https://login.microsoftonline.com/{tenantid}/v2.0',
  },
  tenants: {
    wanted: 'a list of tenant ids, or any, which goes with trust_email: false only; for oidc, with issuer_template',
    example: 'tenants: [72f988bf-86f1-41af-91ab-2d7cd011db47]',
  },
  authorization_endpoint: {
    wanted: 'an https address, for oauth2 only, which requires it',
    example: 'authorization_endpoint: https://github.com/login/oauth/authorize',
  },
  token_endpoint: {
    wanted: 'an https address, for oauth2 only, which requires it',
    example: 'token_endpoint: https://github.com/login/oauth/access_token',
  },
  userinfo_endpoint: {
    wanted: 'an https address, for oauth2 only, which requires it',
    example: 'userinfo_endpoint: https://api.github.com/user',
  },
  emails_endpoint: {
    wanted: 'an https address that lists addresses as GitHub does; for oauth2 only',
    example: 'emails_endpoint: https://api.github.com/user/emails',
  },
  client_id: { wanted: 'the id under which the provider knows this server', example: 'client_id: gatehouse' },
  client_secret: {
    wanted: 'a text; at most one of client_secret, client_secret_file and client_secret_env',
    example: 'client_secret_env: GITHUB_SECRET',
  },
  client_secret_file: {
    wanted: 'a file that this process can read and that holds the secret',
    example: 'client_secret_file: /run/secrets/github',
  },
  client_secret_env: {
    wanted: 'the name of an environment variable that holds the secret',
    example: 'client_secret_env: GITHUB_SECRET',
  },
  client_authentication: {
    wanted: 'basic or post, which need a secret, or none, which has none',
    example: 'client_authentication: post',
  },
  scopes: { wanted: 'a list of scopes; for oidc with openid', example: 'scopes: [openid, profile, email]' },
  claims: {
    wanted: `an object of ${Object.keys(oidcClaims).join(', ')}, each with the name of a member; the subject of oidc is sub`,
    example: 'claims: { username: login }',
  },
  response_mode: { wanted: 'query or form_post', example: 'response_mode: form_post' },
  sign_up: { wanted: 'true or false', example: 'sign_up: true' },
  trust_email: { wanted: 'true or false; for oidc, and for oauth2 with emails_endpoint', example: 'trust_email: true' },
  trust_mfa: { wanted: 'true or false; for oidc only', example: 'trust_mfa: true' },
  fresh_sign_in: { wanted: 'told (oidc only), assumed or never', example: 'fresh_sign_in: assumed' },
};

/** RFC 6749, section 3.3. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/);
const claim = z.string().max(100);
const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{C}+$/u);

function addressShape(development: boolean) {
  return z
    .string()
    .max(2000)
    .refine((given) => {
      const url = URL.parse(given);
      if (!url || url.username + url.password + url.search + url.hash !== '' || /[?#\\\s]/.test(given)) return false;
      return url.protocol === 'https:' || (url.protocol === 'http:' && development && isLoopback(url));
    });
}

function shapeOf({ development }: ReadOptions) {
  const address = addressShape(development);
  return z.strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
    name: line(40),
    logo: z.string().min(1).max(1000).optional(),
    type: z.enum(['oidc', 'oauth2']),
    issuer: address.optional(),
    issuer_template: z.string().max(2000).optional(),
    tenants: z.union([z.literal('any'), z.array(z.string().regex(tenantShape)).min(1).max(1000)]).optional(),
    authorization_endpoint: address.optional(),
    token_endpoint: address.optional(),
    userinfo_endpoint: address.optional(),
    emails_endpoint: address.optional(),
    client_id: line(500),
    client_secret: z.string().min(1).max(2000).optional(),
    client_secret_file: z.string().min(1).optional(),
    client_secret_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .optional(),
    client_authentication: z.enum(['basic', 'post', 'none']).optional(),
    scopes: z.array(scope).optional(),
    claims: z
      .strictObject({
        subject: claim,
        username: claim,
        email: claim,
        email_verified: claim,
        first_name: claim,
        last_name: claim,
        name: claim,
      })
      .partial()
      .default({}),
    response_mode: z.enum(['query', 'form_post']).default('query'),
    sign_up: z.boolean().default(true),
    trust_email: z.boolean().default(false),
    trust_mfa: z.boolean().default(false),
    fresh_sign_in: z.enum(['told', 'assumed', 'never']).optional(),
  });
}

type Given = z.infer<ReturnType<typeof shapeOf>>;
type Loose = { readonly [member: string]: unknown };

/** `document`: the parsed content of the file. */
export function checkProviders(
  document: unknown,
  options: ReadOptions,
): { readonly providers: readonly UpstreamSettings[]; readonly mistakes: readonly ProviderMistake[] } {
  if (!Array.isArray(document)) {
    const example = '- id: github';
    const mistake = {
      provider: undefined,
      member: 'the file',
      given: told(document, ''),
      wanted: 'a list of providers',
    };
    return { providers: [], mistakes: [{ ...mistake, example }] };
  }
  const shape = shapeOf(options);
  const providers: UpstreamSettings[] = [];
  const mistakes: ProviderMistake[] = [];
  const ids = new Set<unknown>();
  document.forEach((given: unknown, index) => {
    const found = new Map<string, string>();
    const parsed = shape.safeParse(given);
    if (!parsed.success) {
      for (const { code, path, ...issue } of parsed.error.issues) {
        if (code === 'unrecognized_keys' && 'keys' in issue && path.length === 0) {
          for (const key of issue.keys as string[]) found.set(key, 'an unknown member');
        } else {
          const [member = ''] = path.map(String);
          found.set(member, told(given, member));
        }
      }
    }
    const { id } = isObject(given) ? given : {};
    if (ids.has(id)) found.set('id', `${shown(id)}, which another provider has`);
    ids.add(id);
    // Rules read members one by one, so that one mistake does not hide the others.
    const loose = isObject(given) ? given : {};
    for (const [member, wrong] of brokenRules(loose)) if (!found.has(member)) found.set(member, wrong);
    const secret = readSecret(loose, options.environment);
    if (secret.mistake !== undefined && !found.has(secret.member)) found.set(secret.member, secret.mistake);
    for (const [member, what] of found) {
      const about = members[member] ?? { wanted: `one of ${Object.keys(members).join(', ')}`, example: '' };
      const name = member === '' ? 'the provider' : printable(member);
      mistakes.push({ provider: index + 1, member: name, given: what, ...about });
    }
    if (parsed.success && found.size === 0) providers.push(settingsOf(parsed.data, secret.value));
  });
  return { providers, mistakes };
}

const endpoints = ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint'] as const;
const secretMembers = ['client_secret', 'client_secret_file', 'client_secret_env'] as const;

/** A member and its invalid value. */
type Broken = [member: string, wrong: string][];

function brokenRules(given: Loose): Broken {
  const ofType = given.type === 'oidc' ? brokenOidc(given) : given.type === 'oauth2' ? brokenOauth2(given) : [];
  return [...ofType, ...brokenLogo(given), ...brokenSecrets(given)];
}

function brokenLogo({ logo }: Loose): Broken {
  if (typeof logo !== 'string' || logo === 'none' || knownMark(logo) || pictureAt(logo) !== undefined) return [];
  return [['logo', shown(logo)]];
}

/** Without a setting, the mark of the provider's brand if its addresses show one. */
function logoOf({ logo, ...given }: Given): UpstreamSettings['logo'] {
  const mark = logo === undefined ? markFor(given) : knownMark(logo);
  if (mark !== undefined) return { mark };
  const picture = logo === undefined || logo === 'none' ? undefined : pictureAt(logo);
  return picture === undefined ? undefined : { picture };
}

function brokenOidc(given: Loose): Broken {
  const broken: Broken = [];
  if (given.issuer === undefined) broken.push(['issuer', 'nothing']);
  for (const member of endpoints) {
    if (given[member] !== undefined) broken.push([member, `${shown(given[member])}, which discovery provides`]);
  }
  if (given.emails_endpoint !== undefined) broken.push(['emails_endpoint', shown(given.emails_endpoint)]);
  broken.push(...brokenTenants(given));
  // Other claims may change or be reassigned, and with them the account here.
  const { subject } = isObject(given.claims) ? given.claims : {};
  if (subject !== undefined && subject !== 'sub') broken.push(['claims', `${shown(subject)} as the subject`]);
  if (Array.isArray(given.scopes) && !given.scopes.includes('openid')) broken.push(['scopes', shown(given.scopes)]);
  return broken;
}

function brokenOauth2(given: Loose): Broken {
  const broken: Broken = [];
  for (const member of endpoints) if (given[member] === undefined) broken.push([member, 'nothing']);
  for (const member of ['issuer_template', 'tenants'])
    if (given[member] !== undefined) broken.push([member, shown(given[member])]);
  if (given.trust_email === true && given.emails_endpoint === undefined)
    broken.push(['trust_email', 'true, but the provider does not tell which addresses it verified']);
  // Without an ID token there is no `amr`, so nothing shows which factors were used.
  if (given.trust_mfa === true)
    broken.push(['trust_mfa', 'true, but the provider does not tell which factors it used']);
  if (given.fresh_sign_in === 'told') broken.push(['fresh_sign_in', 'told, which oauth2 does not support']);
  const { subject } = isObject(given.claims) ? given.claims : {};
  if (subject === '') broken.push(['claims', 'no subject']);
  return broken;
}

function brokenSecrets(given: Loose): Broken {
  const broken: Broken = [];
  const secrets = secretMembers.filter((member) => given[member] !== undefined);
  if (secrets.length > 1) broken.push(['client_secret', `${secrets.join(' and ')}`]);
  const { client_authentication: how } = given;
  if (how === 'none' && secrets.length > 0) broken.push(['client_authentication', `none, and ${secrets[0]}`]);
  if ((how === 'basic' || how === 'post') && secrets.length === 0) {
    broken.push(['client_authentication', `${how}, and no secret`]);
  }
  return broken;
}

interface Secret {
  readonly member: string;
  readonly value?: string | undefined;
  readonly mistake?: string;
}

function readSecret(given: Loose, environment: ReadOptions['environment']): Secret {
  const { client_secret: secret, client_secret_file: file, client_secret_env: name } = given;
  if (typeof file === 'string') {
    const member = 'client_secret_file';
    try {
      const value = readFileSync(file, 'utf8').trim();
      return value === '' ? { member, mistake: `${printable(file)}, which is empty` } : { member, value };
    } catch (error) {
      return { member, mistake: `${printable(file)} (${(error as NodeJS.ErrnoException).code})` };
    }
  }
  if (typeof name === 'string') {
    const value = environment[name]?.trim();
    const member = 'client_secret_env';
    return value ? { member, value } : { member, mistake: `${printable(name)}, which is not set` };
  }
  return { member: 'client_secret', value: typeof secret === 'string' ? secret : undefined };
}

function settingsOf(given: Given, secret: string | undefined): UpstreamSettings {
  const oidc = given.type === 'oidc';
  const common = {
    id: given.id,
    name: given.name,
    logo: logoOf(given),
    clientId: given.client_id,
    clientSecret: secret,
    // Every OpenID Connect server accepts Basic; GitHub and similar servers read the form.
    clientAuthentication: secret === undefined ? 'none' : (given.client_authentication ?? (oidc ? 'basic' : 'post')),
    scopes: given.scopes ?? (oidc ? ['openid', 'profile', 'email'] : []),
    claims: { ...(oidc ? oidcClaims : oauth2Claims), ...defined(given.claims) },
    signUp: given.sign_up,
    trustEmail: given.trust_email,
    trustMfa: given.trust_mfa,
    freshSignIn: given.fresh_sign_in ?? (oidc ? 'told' : 'assumed'),
    responseMode: given.response_mode,
  } as const;
  const { issuer = '', authorization_endpoint: authorize = '' } = given;
  const { issuer_template: template, tenants: named } = given;
  const allowed = Array.isArray(named) ? named.map((tenant) => tenant.toLowerCase()) : named;
  const tenants = template === undefined || allowed === undefined ? undefined : { template, allowed };
  if (oidc) return { ...common, type: 'oidc', issuer, tenants };
  return {
    ...common,
    type: 'oauth2',
    issuer: given.issuer,
    authorizationEndpoint: authorize,
    tokenEndpoint: given.token_endpoint ?? '',
    userinfoEndpoint: given.userinfo_endpoint ?? '',
    emailsEndpoint: given.emails_endpoint,
  };
}

const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Describes the given value. A text in place of the file or of a provider may come from another file, such as a secret.
 */
function told(given: unknown, member: string): string {
  if (!isObject(given)) return typeof given === 'string' ? 'a text' : shown(given);
  return member === 'client_secret' ? 'a value (not shown)' : shown(given[member]);
}

function defined<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function shown(value: unknown): string {
  // A larger value may contain a secret.
  if (isObject(value)) return 'an object';
  if (Array.isArray(value) && value.some((one) => typeof one === 'object')) return 'a list of other things';
  return value === undefined ? 'nothing' : printable(typeof value === 'string' ? value : JSON.stringify(value));
}
