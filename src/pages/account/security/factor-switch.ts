/** A second factor that needs no enrolment, only a switch. It is removed like any other (factors.ts). */
import type { Factors } from '../../../core/factors/factors.ts';
import { type AccountNotice, accountNotices } from '../../kit/view-parts.ts';
import type { AccountDeps } from '../deps.ts';
import { codesPage, securityPage } from '../kit/security-pages.ts';
import { callerIn, type Take } from '../visit.ts';

export function createFactorSwitch(deps: AccountDeps, kind: Factors['codes'][number]['kind']): Take {
  const [switchedOn, notPossible] = [noticeOf(`${kind}-on`), noticeOf(`${kind}-off`)];
  return async (visit) => {
    const on = await deps.factors.switchOn(kind, visit.account.subject, callerIn(visit, deps.pages));
    switch (on.outcome) {
      case 'added': {
        const { recoveryCodes: codes } = on;
        return codes.length > 0
          ? { to: codesPage, note: { notice: switchedOn, codes } }
          : { to: securityPage, note: { notice: switchedOn } };
      }
      case 'on-already':
        return { to: securityPage, note: { notice: switchedOn } };
      default:
        return { to: securityPage, note: { notice: notPossible } };
    }
  };
}

function noticeOf(name: string): AccountNotice {
  const notice = accountNotices.find((one) => one === name);
  if (notice === undefined) throw new Error(`The account pages have no notice "${name}".`);
  return notice;
}
