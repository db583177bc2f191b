/**
 * How strongly a user was authenticated, and how strongly a request wants it. Decided from the session's methods
 * (`amr`), the policy for second factors, and the requested `acr` (OpenID Connect Core, sections 3.1.2.1 and 5.5.1.1;
 * RFC 9470). These functions are pure.
 */
import type { SecondFactor } from './factors.ts';

/** From the weakest to the strongest; each includes the ones before it. */
const assurances = ['single', 'multi', 'phishing-resistant'] as const;
export type Assurance = (typeof assurances)[number];

/** A passkey works at this server's origin only, so a phishing page gets nothing (`hwk`, `swk`: RFC 8176). */
export function assuranceOf(amr: readonly string[] = []): Assurance {
  if (!amr.includes('mfa')) return 'single';
  return amr.includes('hwk') || amr.includes('swk') ? 'phishing-resistant' : 'multi';
}

const rank = (assurance: Assurance): number => assurances.indexOf(assurance);
export const reaches = (reached: Assurance, wanted: Assurance): boolean => rank(reached) >= rank(wanted);

// ---- the policy -----------------------------------------------------------------------------------------------------

/** From the most lenient to the strictest. */
export const secondFactorRules = ['none', 'offered', 'required'] as const;
export type SecondFactorRule = (typeof secondFactorRules)[number];

/** Returns the stricter of the two rules. Ignores a client value that is not a rule. */
export function ruleFor(server: SecondFactorRule, client: unknown): SecondFactorRule {
  return secondFactorRules.findLast((rule) => rule === server || rule === client) ?? server;
}

/** The least assurance that the rule accepts. */
export const leastOf = (rule: SecondFactorRule): Assurance => (rule === 'required' ? 'multi' : 'single');

// ---- names ----------------------------------------------------------------------------------------------------------

/**
 * Names of `acr` values. `phr` is registered (RFC 6711; OpenID Connect EAP ACR Values 1.0). The name for two factors is
 * from OpenID PAPE 1.0, section 4. No standard names a password alone, so that name is this issuer's own.
 */
interface AcrNames {
  /** For `acr_values_supported`. */
  readonly all: readonly string[];
  nameOf(assurance: Assurance): string;
  /** Returns undefined for an unknown name. */
  meaningOf(name: string): Assurance | undefined;
}

export function acrNames(issuer: string): AcrNames {
  const names: Readonly<Record<Assurance, string>> = {
    single: `${issuer}/acr/single-factor`,
    multi: 'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
    'phishing-resistant': 'phr',
  };
  return {
    all: Object.values(names),
    nameOf: (assurance) => names[assurance],
    meaningOf: (name) => assurances.find((assurance) => names[assurance] === name),
  };
}

// ---- the request ----------------------------------------------------------------------------------------------------

export interface AcrAsked {
  /** In order of preference. */
  readonly values: readonly string[];
  /** One of them must be reached. */
  readonly essential: boolean;
}

/**
 * `request`: the member `acr` of `id_token` in the claims parameter. It takes precedence over `acr_values`. Returns
 * undefined if it is malformed.
 */
export function acrAsked(request: unknown, acrValues: string | undefined): AcrAsked | undefined {
  const plain = { values: acrValues?.split(' ').filter(Boolean) ?? [], essential: false };
  if (request === undefined || request === null) return plain;
  if (typeof request !== 'object' || Array.isArray(request)) return undefined;
  const { essential = false, value, values } = request as Record<string, unknown>;
  const list: unknown = values ?? (value === undefined ? undefined : [value]);
  if (typeof essential !== 'boolean') return undefined;
  if (list === undefined) return plain;
  const texts = Array.isArray(list) && list.every((one) => typeof one === 'string');
  return texts ? { values: list as string[], essential } : undefined;
}

/** `must`: without it the request fails. `should`: if the user can reach it. */
interface Wanted {
  readonly must: Assurance;
  readonly should: Assurance;
}

/** Returns undefined if the request requires one of its values and none of them is known. */
export function wantedBy({ values, essential }: AcrAsked, rule: SecondFactorRule, names: AcrNames): Wanted | undefined {
  const known = values.map(names.meaningOf).filter((one) => one !== undefined);
  if (essential && values.length > 0 && known.length === 0) return undefined;
  const least = essential ? assurances.find((one) => known.includes(one)) : undefined;
  const must = stronger(least ?? 'single', leastOf(rule));
  return { must, should: stronger(must, known[0] ?? 'single') };
}

const stronger = (one: Assurance, other: Assurance): Assurance => (reaches(one, other) ? one : other);

/**
 * The `acr` of the response: the first requested name that is reached (section 5.5.1.1), otherwise the strongest
 * reached.
 */
export function acrOf(reached: Assurance, asked: Pick<AcrAsked, 'values'>, names: AcrNames): string {
  const said = asked.values.find((name) => {
    const meaning = names.meaningOf(name);
    return meaning !== undefined && reaches(reached, meaning);
  });
  return said ?? names.nameOf(reached);
}

// ---- the next step --------------------------------------------------------------------------------------------------

export interface Reached {
  /** By the session. */
  readonly reached: Assurance;
  /** From core/factors. `required` without methods: all are locked or used up. */
  readonly factors: { readonly required: boolean; readonly methods: readonly SecondFactor[] };
  /** The user has completed a sign-in within `freshSeconds`. */
  readonly fresh: boolean;
  /** The user has proved something for this request, if only a second factor. */
  readonly justNow: boolean;
}

export type Way =
  | { readonly way: 'enough' | 'sign-in' | 'unmet' }
  /** `only`: no other factor is enough. */
  | { readonly way: 'second-factor' | 'enrol'; readonly only: 'passkey' | undefined };

/**
 * The order matters. A user with a second factor must use it before adding another, or the thief of a password could
 * add their own. Adding one requires a fresh sign-in, or any visitor of an unattended browser could (security.md B11).
 */
export function wayTo({ must, should }: Wanted, current: Reached, rule: SecondFactorRule): Way {
  const { reached, factors, fresh, justNow } = current;
  const only = must === 'phishing-resistant' ? 'passkey' : undefined;
  const has = factors.methods.includes('passkey');
  if (reaches(reached, must)) {
    // Preferred, not required: asks once, and only users who can.
    const can = should === 'phishing-resistant' ? has : factors.required;
    return reaches(reached, should) || justNow || !can ? { way: 'enough' } : { way: 'second-factor', only: undefined };
  }
  if (only === 'passkey' && has) return { way: 'second-factor', only };
  if (factors.required && reached === 'single') return { way: 'second-factor', only: undefined };
  if (rule === 'none') return { way: 'unmet' };
  return fresh ? { way: 'enrol', only } : { way: 'sign-in' };
}

/** Maximum age of a sign-in after which a factor may be added, in seconds. */
export const freshSeconds = 300;
