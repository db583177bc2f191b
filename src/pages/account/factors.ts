/** Second factors: the list, removal, and recovery codes, which are shown once. */
import type { SecondFactor } from '../../core/factors/factors.ts';
import { sendRecoveryCodes } from '../kit/recovery-codes.ts';
import type { AccountDeps } from './deps.ts';
import { longerPasswordFirst, neededOf, providersOf } from './needed.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, notThere, type Show, showPage, type Take } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-factors': AccountForm & {
      readonly factors: readonly {
        readonly id: string;
        readonly kind: SecondFactor;
        readonly name: string;
        readonly createdAt: number;
        readonly lastUsedAt?: number | undefined;
        readonly locked: boolean;
        /** The factor cannot be removed, because the person needs it to sign in. */
        readonly needed: boolean;
      }[];
      readonly codesLeft: number;
      readonly twoFactor: boolean;
      /** False: no app can be added. */
      readonly app?: boolean;
      /** False: no passkey can be added. */
      readonly passkeys?: boolean;
      /** Kinds that can be turned on. */
      readonly switches: readonly SecondFactor[];
      /** Whether codes by e-mail are in `switches`; kept for own views of older versions. */
      readonly emailCodes?: boolean;
    };
    'account-codes': AccountForm & { readonly codes: readonly string[] };
  }
}

const list = '/account/factors';

export function createFactorsPage(deps: AccountDeps): {
  show: Show;
  remove: Take;
  showCodes: Show;
  makeCodes: Take;
  download: Take;
} {
  return {
    async show(visit) {
      const { account } = visit;
      const [{ factors, recoveryCodesLeft }, passkeys] = await Promise.all([
        deps.factors.list(account.subject),
        deps.passkeys.list(account.subject),
      ]);
      const needed = await neededOf(deps.upstream, account, passkeys);
      const has = (kind: SecondFactor) => factors.some((factor) => factor.kind === kind);
      const switches = deps.factors.switches(account).filter((kind) => !has(kind));
      return showPage(deps, visit, 'account-factors', {
        factors: [
          ...factors.map((factor) => ({ ...factor, lastUsedAt: factor.lastUsedAt ?? undefined, needed: false })),
          ...passkeys.map(({ id, name, createdAt, lastUsedAt }) => ({
            id,
            name,
            createdAt,
            kind: 'passkey',
            locked: false,
            lastUsedAt: lastUsedAt ?? undefined,
            needed: needed(id),
          })),
        ],
        codesLeft: recoveryCodesLeft,
        twoFactor: account.twoFactor,
        app: deps.factors.enrols.length > 0,
        passkeys: deps.passkeys.offered,
        switches,
        emailCodes: switches.includes('email-code'),
      });
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const id = form.get('factor') ?? '';
      const first = await longerPasswordFirst(deps, visit.account, id);
      if (first) return first;
      const caller = callerIn(visit, deps.pages);
      const removed = (await deps.factors.remove(subject, id, caller))
        ? 'removed'
        : await deps.passkeys.remove(subject, id, caller, providersOf(deps.upstream));
      if (removed === 'not-found') return notThere(deps, visit);
      return { to: list, note: { notice: removed === 'last' ? 'passkey-last' : 'factor-removed' } };
    },

    async showCodes(visit) {
      const { codes } = visit.note;
      return codes ? showPage(deps, visit, 'account-codes', { codes }) : { to: list };
    },

    async makeCodes(visit) {
      const codes = await deps.factors.regenerateRecoveryCodes(visit.account.subject, callerIn(visit, deps.pages));
      return codes ? { to: `${list}/codes`, note: { codes } } : { to: list };
    },

    /** The page sends the codes and gets them back as a file, so that they are not stored for this. */
    async download({ ctx }, form) {
      const codes = form.get('codes') ?? '';
      if (!/^[0-9a-z-]{4,40}( [0-9a-z-]{4,40}){0,19}$/.test(codes)) return { to: list };
      sendRecoveryCodes(ctx, codes.split(' '));
      return undefined;
    },
  };
}
