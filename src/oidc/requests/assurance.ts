/**
 * The required strength of a sign-in. The engine checks it at every authorization, through any page or entry point. So
 * no second tab, early post or sign-in for a less strict application skips it (security.md B4).
 *
 * The session's `amr` is the stored fact. `acr` is derived from it for each response, from the values that the request
 * asked for; an `acr` of an earlier request is overwritten.
 */
import { errors, type InteractionResults, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import {
  type AcrAsked,
  acrAsked,
  acrNames,
  acrOf,
  assuranceOf,
  freshSeconds,
  ruleFor,
  type SecondFactorRule,
  type Way,
  wantedBy,
  wayTo,
} from '../../core/factors/assurance.ts';
import type { FactorOffer } from '../../core/factors/factor-offer.ts';
import type { Factors } from '../../core/factors/factors.ts';
import { orUnavailable } from '../adapter/adapter.ts';
import type { EnginePerson } from '../tokens/claims.ts';

export interface AssuranceDeps {
  readonly issuer: string;
  readonly factors: Pick<Factors, 'methods' | 'adds'>;
  readonly factorOffer: FactorOffer;
  /** A client may require a stricter rule. */
  readonly config: { readonly secondFactor: SecondFactorRule };
}

/** The `prompt.details` of an interaction, for the pages. */
export interface AssuranceDetails {
  readonly only?: 'passkey' | undefined;
}

const { Check, Prompt } = interactionPolicy;
type Policy = ReturnType<typeof interactionPolicy.base>;

/** Adds prompts between the engine's own `login` and `consent`. */
export function demandAssurance(policy: Policy, deps: AssuranceDeps): void {
  const names = acrNames(deps.issuer);
  const found = new WeakMap<KoaContextWithOIDC, Promise<Way>>();

  async function look(ctx: KoaContextWithOIDC): Promise<Way> {
    const { oidc } = ctx;
    const { session, result, prompts } = oidc;
    const rule = ruleFor(deps.config.secondFactor, oidc.client?.second_factor);
    const asked = askedIn(ctx);
    const wanted = wantedBy(asked, rule, names);
    if (wanted === undefined) return { way: 'unmet' };
    if (session?.accountId === undefined) return { way: 'enough' };
    const reached = assuranceOf(session.amr);
    session.acr = acrOf(reached, asked, names);
    // If no page may be shown, a voluntary `acr` request is ignored.
    const { must, should } = prompts.has('none') ? { ...wanted, should: wanted.must } : wanted;
    if (reached === 'phishing-resistant' || (must === 'single' && should === 'single')) return { way: 'enough' };
    const { accountId } = session;
    const justNow = result?.login !== undefined;
    const current = {
      reached,
      factors: await orUnavailable(() => deps.factors.methods(accountId)),
      // Checked even after a sign-in for this request: another provider may have answered without asking the user
      // (core/upstream/upstream-freshness).
      fresh: !session.past(freshSeconds),
      justNow,
    };
    const way = wayTo({ must, should }, current, rule);
    return way.way === 'enrol' && !deps.factors.adds(way.only) ? { way: 'unmet' } : way;
  }

  async function wayOf(ctx: KoaContextWithOIDC): Promise<Way> {
    const way = found.get(ctx) ?? look(ctx);
    found.set(ctx, way);
    // OpenID Connect Core Unmet Authentication Requirements 1.0, section 2.
    if ((await way).way === 'unmet')
      throw new errors.UnmetAuthenticationRequirements('the user has no sign-in method that meets the request');
    return way;
  }

  const leadsTo = (way: Way['way']) => async (ctx: KoaContextWithOIDC) => (await wayOf(ctx)).way === way;
  const details = async (ctx: KoaContextWithOIDC) => {
    const way = await wayOf(ctx);
    return 'only' in way ? { only: way.only } : {};
  };

  async function isOffered({ oidc }: KoaContextWithOIDC): Promise<boolean> {
    const { client, session, result, account } = oidc;
    const rule = ruleFor(deps.config.secondFactor, client?.second_factor);
    const alone = result?.login !== undefined && assuranceOf(session?.amr) === 'single';
    // No offer if the user would have to sign in again to accept it.
    if (rule !== 'offered' || !alone || account === undefined || session?.past(freshSeconds)) return false;
    return orUnavailable(() => deps.factorOffer.isDue((account as EnginePerson).record));
  }

  const login = policy.get('login');
  // The engine's check counts a step-up as a sign-in.
  login?.checks.remove('max_age');
  login?.checks.add(new Check('max_age', 'the last sign-in is too long ago', 'login_required', isTooOld));
  // The engine's checks compare one name; this server also accepts stronger authentication.
  login?.checks.remove('essential_acrs');
  login?.checks.remove('essential_acr');
  login?.checks.add(
    new Check('not_fresh', 'a second factor is added after a fresh sign-in only', 'login_required', leadsTo('sign-in')),
  );
  const [stepUp, enrol, offer] = [
    new Check('second_factor_missing', 'a second factor is required', 'login_required', leadsTo('second-factor')),
    new Check('no_second_factor', 'a second factor must be added first', 'interaction_required', leadsTo('enrol')),
    new Check('second_factor_offered', 'a second factor can be added', 'interaction_required', isOffered),
  ];
  const prompts = [
    new Prompt({ name: 'second-factor' }, details, stepUp),
    new Prompt({ name: 'enrol' }, details, enrol),
    new Prompt({ name: 'offer' }, offer),
  ];
  // After all prompts that identify the user.
  const consent = policy.findIndex(({ name }) => name === 'consent');
  for (const [n, prompt] of prompts.entries()) policy.add(prompt, consent + n);
}

/**
 * Whether the user has completed a whole sign-in for this request. A second factor given or added to an existing
 * session does not count (pages/kit/interaction/login-result).
 */
export function isWholeSignIn(result: InteractionResults | undefined): boolean {
  return result?.login !== undefined && result.login.stepUp !== true;
}

/**
 * The session's time is that of its last whole sign-in, which `max_age` requires (OpenID Connect Core, section
 * 3.1.2.1).
 */
function isTooOld({ oidc }: KoaContextWithOIDC): boolean {
  const { params, session, result } = oidc;
  const maxAge = params?.max_age;
  if (maxAge === undefined || session?.accountId === undefined) return false;
  return session.past(Number(maxAge)) && !isWholeSignIn(result);
}

/**
 * Reads the parameter itself. The engine would put a client's `default_acr_values` in its place, although they count
 * only if a request has none (OpenID Connect Registration, section 2).
 */
function askedIn({ oidc }: KoaContextWithOIDC): AcrAsked {
  const { claims, acr_values: values } = oidc.params ?? {};
  // The engine has validated the parameter by now, and `checkAcrRequest` this member.
  const request = typeof claims === 'string' ? JSON.parse(claims).id_token?.acr : undefined;
  return acrAsked(request, typeof values === 'string' ? values : undefined) ?? { values: [], essential: false };
}

/** For the engine's `assertClaimsParameter`. */
export function checkAcrRequest(_ctx: KoaContextWithOIDC, claims: { readonly id_token?: unknown }): void {
  const request = (claims.id_token as { acr?: unknown } | undefined)?.acr;
  if (acrAsked(request, undefined) === undefined)
    throw new errors.InvalidRequest(
      'claims.id_token.acr must have a boolean essential and strings for value or values',
    );
}
