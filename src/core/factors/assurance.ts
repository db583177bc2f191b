/**
 * How surely a person was proved, and how surely a request wants it: decided from the methods of the session (`amr`), the policy for
 * second factors and the `acr` that was asked for (OpenID Connect Core, sections 3.1.2.1 and 5.5.1.1; RFC 9470). Nothing here looks
 * anything up.
 */
import type { SecondFactor } from './factors.ts';

/** From the weakest to the strongest; each is all that the ones before it are. */
const assurances = ['single', 'multi', 'phishing-resistant'] as const;
export type Assurance = (typeof assurances)[number];

/** A passkey answers to this server's address alone, so whoever imitates the page gets nothing (`hwk`, `swk`: RFC 8176). */
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

/** The server's, made stricter where the client wants it so. Anything that is no rule says nothing. */
export function ruleFor(server: SecondFactorRule, client: unknown): SecondFactorRule {
  return secondFactorRules.findLast((rule) => rule === server || rule === client) ?? server;
}

/** What nobody goes below under it. */
export const leastOf = (rule: SecondFactorRule): Assurance => (rule === 'required' ? 'multi' : 'single');

// ---- names ----------------------------------------------------------------------------------------------------------

/**
 * What an `acr` is called. `phr` is registered (RFC 6711; OpenID Connect EAP ACR Values 1.0); the one for two factors is OpenID's own
 * from PAPE 1.0, section 4; for a password alone nobody has agreed on a name, so it is one of this issuer.
 */
interface AcrNames {
  /** For `acr_values_supported`. */
  readonly all: readonly string[];
  nameOf(assurance: Assurance): string;
  /** Undefined for a name that means nothing here. */
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

// ---- what is asked for ----------------------------------------------------------------------------------------------

export interface AcrAsked {
  /** The best liked first. */
  readonly values: readonly string[];
  /** One of them must be reached. */
  readonly essential: boolean;
}

/**
 * `request`: the member `acr` of the claims parameter's `id_token`, which says more than `acr_values` and wins over it. Undefined:
 * it is no such request.
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

/** `must`: without it there is no answer. `should`: as far as this person can. */
interface Wanted {
  readonly must: Assurance;
  readonly should: Assurance;
}

/** Undefined: it must be one of several, and none of them means anything here. */
export function wantedBy({ values, essential }: AcrAsked, rule: SecondFactorRule, names: AcrNames): Wanted | undefined {
  const known = values.map(names.meaningOf).filter((one) => one !== undefined);
  if (essential && values.length > 0 && known.length === 0) return undefined;
  const least = essential ? assurances.find((one) => known.includes(one)) : undefined;
  const must = stronger(least ?? 'single', leastOf(rule));
  return { must, should: stronger(must, known[0] ?? 'single') };
}

const stronger = (one: Assurance, other: Assurance): Assurance => (reaches(one, other) ? one : other);

/** The `acr` of the answer: of the names asked for the first that is true (section 5.5.1.1), otherwise the strongest that is. */
export function acrOf(reached: Assurance, asked: Pick<AcrAsked, 'values'>, names: AcrNames): string {
  const said = asked.values.find((name) => {
    const meaning = names.meaningOf(name);
    return meaning !== undefined && reaches(reached, meaning);
  });
  return said ?? names.nameOf(reached);
}

// ---- the way there --------------------------------------------------------------------------------------------------

export interface Reached {
  /** By the session. */
  readonly reached: Assurance;
  /** The account's, as core/factors has them; `required` without methods: all are locked or used up. */
  readonly factors: { readonly required: boolean; readonly methods: readonly SecondFactor[] };
  /** The person has signed in, as a whole, in the last minutes. */
  readonly fresh: boolean;
  /** They have proved something for this very request, if only a second factor. */
  readonly justNow: boolean;
}

export type Way =
  | { readonly way: 'enough' | 'sign-in' | 'unmet' }
  /** `only`: nothing else would do. */
  | { readonly way: 'second-factor' | 'enrol'; readonly only: 'passkey' | undefined };

/**
 * The order is what matters. Whoever has a second factor gives it before another is added, else a stolen password could add the
 * thief's own; and nobody adds one without a fresh sign-in, else an open browser could (security.md B11).
 */
export function wayTo({ must, should }: Wanted, current: Reached, rule: SecondFactorRule): Way {
  const { reached, factors, fresh, justNow } = current;
  const only = must === 'phishing-resistant' ? 'passkey' : undefined;
  const has = factors.methods.includes('passkey');
  if (reaches(reached, must)) {
    // Wished for, not demanded: asked once, and of those who can.
    const can = should === 'phishing-resistant' ? has : factors.required;
    return reaches(reached, should) || justNow || !can ? { way: 'enough' } : { way: 'second-factor', only: undefined };
  }
  if (only === 'passkey' && has) return { way: 'second-factor', only };
  if (factors.required && reached === 'single') return { way: 'second-factor', only: undefined };
  if (rule === 'none') return { way: 'unmet' };
  return fresh ? { way: 'enrol', only } : { way: 'sign-in' };
}

/** How long ago a sign-in may be for a factor to be added, in seconds. */
export const freshSeconds = 300;
