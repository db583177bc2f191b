/** Codes by e-mail, switched on. They are switched off like any other factor (factors.ts). */
import type { AccountDeps } from './deps.ts';
import { actorOf, type Take } from './visit.ts';

const list = '/account/factors';

export function createEmailCodeSwitch(deps: AccountDeps): Take {
  return async (visit) => {
    const on = await deps.emailCodes.switchOn(visit.account.subject, actorOf(visit, deps.pages));
    switch (on.outcome) {
      case 'added': {
        const { recoveryCodes: codes } = on;
        return codes.length > 0
          ? { to: `${list}/codes`, note: { notice: 'email-code-on', codes } }
          : { to: list, note: { notice: 'email-code-on' } };
      }
      case 'on-already':
        return { to: list, note: { notice: 'email-code-on' } };
      default:
        return { to: list, note: { notice: 'email-code-off' } };
    }
  };
}
