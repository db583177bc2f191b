/**
 * Everything about signing in, on one page: passkeys, password, second factors, recovery codes, accounts elsewhere. It
 * shows names and dates, nothing secret. Each action asks for a fresh sign-in itself, with both factors.
 */
import type { SecondFactor } from '../../../core/factors/factors.ts';
import type { Upstream } from '../../../core/upstream/upstream.ts';
import type { UpstreamFailureKind } from '../../kit/view-parts.ts';
import type { AccountDeps } from '../deps.ts';
import { isFresh, lacksFactor } from '../sign-in-address.ts';
import { type AccountForm, type Show, showPage, type Visit } from '../visit.ts';
import { neededOf } from './needed.ts';
import { purposeOf } from './passkeys.ts';

interface Listed {
  readonly id: string;
  /** The person's name for it; may be empty. */
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number | undefined;
}

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-security': AccountForm & {
      readonly hasPassword: boolean;
      readonly twoFactor: boolean;
      /** Undefined: there are none, and none can be added. */
      readonly passkeys?:
        | {
            /** `needed`: it cannot be removed, because the person could not sign in without it. */
            readonly list: readonly (Listed & { readonly synced: boolean; readonly needed: boolean })[];
            /**
             * How one is added: `here` by a button (`options` for the browser, in JSON), `sign-in` after a sign-in.
             * `full`: there are as many as there can be. `off`: this server does not offer passkeys.
             */
            readonly add: 'here' | 'sign-in' | 'full' | 'off';
            readonly options?: string | undefined;
          }
        | undefined;
      /** The other second factors, by kind. `add`: by an enrolment, or by a switch. */
      readonly methods: readonly {
        readonly kind: SecondFactor;
        readonly add?: 'enrol' | 'switch' | undefined;
        readonly list: readonly (Listed & { readonly locked: boolean })[];
      }[];
      /** Recovery codes; undefined without a second factor. `kept`: their page still shows them, once. */
      readonly codes?: { readonly left: number; readonly saved: boolean; readonly kept?: boolean } | undefined;
      /** Accounts at other providers. `label`: the person's name there. */
      readonly identities: readonly (Omit<Listed, 'name'> & {
        readonly provider: string;
        readonly label: string;
        readonly needed: boolean;
      })[];
      /** Providers that can be connected, and the address to start at. */
      readonly providers: readonly { readonly name: string; readonly to: string }[];
      readonly failed?: { readonly kind: UpstreamFailureKind; readonly provider: string } | undefined;
      /** Id of what was just added: its row asks for a name. */
      readonly added?: string | undefined;
    };
  }
}

export function createSecurityPage(deps: AccountDeps): Show {
  return async (visit) => {
    const { account, note } = visit;
    const [{ factors, recoveryCodesLeft: left, recoveryCodesSaved: saved }, list, linked] = await Promise.all([
      deps.factors.list(account.subject),
      deps.passkeys.list(account.subject),
      deps.upstream.linked(account.subject),
    ]);
    const needed = neededOf(deps.upstream, account, { passkeys: list, identities: linked });
    const adding = await addingOf(deps, visit);
    return showPage(deps, visit, 'account-security', {
      hasPassword: account.passwordHash !== null,
      twoFactor: account.twoFactor,
      passkeys:
        list.length > 0 || deps.passkeys.offered
          ? { list: list.map((one) => ({ ...one, ...used(one), needed: needed(one.id) })), ...adding }
          : undefined,
      methods: methodsOf(deps, visit, factors),
      codes: account.twoFactor ? { left, saved, kept: note.codes !== undefined } : undefined,
      identities: linked.map(({ id, provider, label, createdAt, lastUsedAt }) => ({
        ...{ id, label, createdAt, ...used({ lastUsedAt }), needed: needed(id) },
        provider: deps.upstream.name(provider),
      })),
      providers: providersLeft(deps.upstream, linked),
      failed: note.upstreamFailed,
      added: note.added,
    });
  };
}

/** A challenge is made only for a session that may add a passkey now. */
async function addingOf(deps: AccountDeps, { account, session }: Visit) {
  if (!deps.passkeys.offered) return { add: 'off' } as const;
  if (!isFresh(session) || (await lacksFactor(session, deps.factors))) return { add: 'sign-in' } as const;
  const begun = await deps.passkeys.beginEnrolment(account.subject, purposeOf(session));
  return begun.outcome === 'begun' ? ({ add: 'here', options: begun.options } as const) : ({ add: 'full' } as const);
}

type FactorsList = Awaited<ReturnType<AccountDeps['factors']['list']>>['factors'];

/** Also the kinds that this server no longer offers, if the person has one. */
function methodsOf({ factors: { enrols, switches } }: AccountDeps, { account }: Visit, factors: FactorsList) {
  const open = switches(account);
  const kinds = new Set([...enrols, ...open, ...factors.map(({ kind }) => kind)]);
  return [...kinds].map((kind) => {
    const list = factors.filter((one) => one.kind === kind).map((one) => ({ ...one, ...used(one) }));
    const switched = list.length === 0 && open.includes(kind) ? ('switch' as const) : undefined;
    return { kind, list, add: enrols.includes(kind) ? ('enrol' as const) : switched };
  });
}

function providersLeft(upstream: Upstream, linked: readonly { readonly provider: string }[]) {
  const taken = new Set(linked.map(({ provider }) => provider));
  return upstream
    .offered()
    .filter(({ id }) => !taken.has(id))
    .map(({ id, name }) => ({ name, to: `/account/identities/connect/${id}` }));
}

const used = ({ lastUsedAt }: { readonly lastUsedAt: number | null }) => ({ lastUsedAt: lastUsedAt ?? undefined });
