/**
 * A request for more than the person has allowed before asks for the missing part alone, and lists the rest as allowed.
 * The form repeats that list: if one of its members has been taken back since, the page asks anew.
 */
import type { Asked } from '../../core/clients/consent-policy.ts';

interface StepUp {
  /** What the person is asked for. */
  readonly question: Asked;
  /** What is listed as allowed. Empty if nothing is new, or everything is. */
  readonly known: Asked;
}

/** `before`: the earlier consent, if it counts for this client. */
export function stepUpOf(asked: Asked, before: Asked | undefined): StepUp {
  const allowed = new Set(before && itemsOf(before));
  const known = pick(asked, (item) => allowed.has(item));
  const question = pick(asked, (item) => !allowed.has(item));
  return isEmpty(known) || isEmpty(question)
    ? { question: asked, known: pick(asked, () => false) }
    : { question, known };
}

/** Undefined if the form lists something as allowed that is not, or not any more. `told`: the value from `toldOf`. */
export function stepUpIn(told: string | undefined, asked: Asked, before: Asked | undefined): StepUp | undefined {
  const shown = new Set(told ? listIn(told) : []);
  const allowed = new Set(before && itemsOf(before));
  const known = pick(asked, (item) => shown.has(item) && allowed.has(item));
  if (itemsOf(known).length !== shown.size) return undefined;
  return { question: pick(asked, (item) => !shown.has(item)), known };
}

/** For a hidden field of the form; undefined if nothing is listed as allowed. */
export function toldOf({ known }: StepUp): string | undefined {
  return isEmpty(known) ? undefined : JSON.stringify(itemsOf(known));
}

function listIn(told: string): unknown[] {
  try {
    const list: unknown = JSON.parse(told);
    return Array.isArray(list) ? list : [told];
  } catch {
    return [told];
  }
}

const isEmpty = (asked: Asked): boolean => itemsOf(asked).length === 0;

/** Names and identifiers have no spaces. */
function itemsOf({ scopes, claims, resources }: Asked): string[] {
  const ofApis = Object.entries(resources).flatMap(([api, names]) => names.map((name) => `api ${api} ${name}`));
  return [...scopes.map((name) => `scope ${name}`), ...claims.map((name) => `claim ${name}`), ...ofApis];
}

function pick({ scopes, claims, resources }: Asked, keeps: (item: string) => boolean): Asked {
  const ofApis = Object.entries(resources).flatMap(([api, names]) => {
    const kept = names.filter((name) => keeps(`api ${api} ${name}`));
    return kept.length > 0 ? [[api, kept] as const] : [];
  });
  return {
    scopes: scopes.filter((name) => keeps(`scope ${name}`)),
    claims: claims.filter((name) => keeps(`claim ${name}`)),
    resources: Object.fromEntries(ofApis),
  };
}
