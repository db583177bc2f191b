/** Second factors that are no passkeys: another name, and removal, each after a page of its own. */
import { oneOf } from '../../kit/request.ts';
import type { AccountDeps } from '../deps.ts';
import { securityPage } from '../kit/security-pages.ts';
import { callerIn, notThere, type Show, type Take, type Visit } from '../visit.ts';
import { ask, askName } from './confirmations.ts';
import { longerPasswordFirst } from './needed.ts';

const list = '/account/factors';

export function createFactorsPage(deps: AccountDeps): {
  askName: Show;
  rename: Take;
  askRemoval: Show;
  remove: Take;
} {
  async function find({ account }: Visit, id: string) {
    const [{ factors }, passkeys] = await Promise.all([
      deps.factors.list(account.subject),
      deps.passkeys.list(account.subject),
    ]);
    const factor = factors.find((one) => one.id === id);
    return factor && { factor, isLast: factors.length + passkeys.length === 1 };
  }

  return {
    async askName(visit) {
      const id = oneOf(visit.ctx, 'factor') ?? '';
      const found = await find(visit, id);
      if (!found) return notThere(deps, visit);
      return askName(deps, visit, {
        action: `${list}/rename`,
        field: { name: 'factor', value: id },
        about: found.factor,
      });
    },

    async rename(visit, form) {
      const { subject } = visit.account;
      const [id, name] = [form.get('factor') ?? '', form.get('name')?.trim() ?? ''];
      const renamed = await deps.factors.rename(subject, id, name, callerIn(visit, deps.pages));
      return renamed ? { to: securityPage, note: { notice: 'factor-renamed' } } : notThere(deps, visit);
    },

    async askRemoval(visit) {
      const id = oneOf(visit.ctx, 'factor') ?? '';
      const found = await find(visit, id);
      if (!found) return notThere(deps, visit);
      return ask(deps, visit, {
        asks: found.isLast ? 'last-factor' : 'factor',
        action: `${list}/remove`,
        field: { name: 'factor', value: id },
        about: found.factor,
      });
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const id = form.get('factor') ?? '';
      const first = await longerPasswordFirst(deps, visit.account, id);
      if (first) return first;
      const removed = await deps.factors.remove(subject, id, callerIn(visit, deps.pages));
      return removed ? { to: securityPage, note: { notice: 'factor-removed' } } : notThere(deps, visit);
    },
  };
}
