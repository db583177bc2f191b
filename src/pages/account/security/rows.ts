/** The pages about signing in: one page that shows everything, and the pages and forms of its actions. */
import type { AccountDeps } from '../deps.ts';
import { securityPage } from '../kit/security-pages.ts';
import { guarded, type Row } from '../row.ts';
import type { Show } from '../visit.ts';
import { createCodesPage } from './codes.ts';
import { createEnrolmentPage } from './enrolment.ts';
import { createFactorSwitch } from './factor-switch.ts';
import { createFactorsPage } from './factors.ts';
import { createIdentitiesPage } from './identities.ts';
import { createPasskeysPage } from './passkeys.ts';
import { createPasswordPage } from './password.ts';
import { createSecurityPage } from './security.ts';

export function securityRows(deps: AccountDeps): readonly Row[] {
  const password = createPasswordPage(deps);
  const [factors, keys, elsewhere] = ['/account/factors', '/account/passkeys', '/account/identities'];
  const page = securityPage;

  return [
    { path: page, show: createSecurityPage(deps) },
    { path: '/account/password', show: password.show, take: password.take, ...guarded },
    ...factorRows(),
    ...codeRows(),
    ...(deps.factors.enrols.length > 0 ? appRows() : []),
    ...passkeyRows(),
    ...identityRows(),
  ];

  function factorRows(): readonly Row[] {
    const { askName, rename, askRemoval, remove } = createFactorsPage(deps);
    return [
      // The address of earlier versions, in mails and bookmarks. It is the way through a fresh sign-in.
      { path: factors, show: movedTo(page), fresh: true },
      { path: `${factors}/rename`, show: askName, take: rename, ...guarded, page, about: 'factor' },
      { path: `${factors}/remove`, show: askRemoval, take: remove, ...guarded, page, about: 'factor' },
      ...deps.factors.codes
        .filter(({ switchOn }) => switchOn)
        .map(({ kind }) => ({ path: `${factors}/${kind}`, take: createFactorSwitch(deps, kind), ...guarded, page })),
    ];
  }

  function codeRows(): readonly Row[] {
    const codes = createCodesPage(deps);
    return [
      // Also shows the codes of a factor that was just added, so it needs no second factor.
      { path: `${factors}/codes`, show: codes.show, fresh: true, codes: true },
      { path: `${factors}/codes`, take: codes.make, ...guarded, page, codes: true },
      { path: `${factors}/codes/new`, show: codes.askNew, ...guarded },
      // Not `fresh`: the code itself is the proof, and saving codes must not be interrupted.
      { path: `${factors}/codes/saved`, take: codes.confirm, page, codes: true },
      { path: `${factors}/codes.txt`, take: codes.download, page },
    ];
  }

  function appRows(): readonly Row[] {
    const enrolment = createEnrolmentPage(deps);
    return [
      { path: `${factors}/begin`, take: enrolment.begin, ...guarded, page },
      // Not `fresh`: the sign-in was fresh at the start, and the enrolment must not be interrupted.
      { path: `${factors}/app`, show: enrolment.show, take: enrolment.confirm, factor: true, page },
    ];
  }

  function passkeyRows(): readonly Row[] {
    const { add, askName, rename, askRemoval, remove } = createPasskeysPage(deps);
    const adding: readonly Row[] = [
      // The way to the button that adds one, also for password managers (well-known.ts).
      { path: keys, show: movedTo(`${page}#passkeys`), ...guarded },
      // Not `fresh`: the challenge proves that the page was shown a moment ago.
      { path: `${keys}/add`, take: add, factor: true, page: keys },
    ];
    return [
      ...(deps.passkeys.offered ? adding : []),
      // Also of a server without the method: the Security page lists the passkeys that a person has.
      { path: `${keys}/rename`, show: askName, take: rename, ...guarded, page, about: 'passkey' },
      { path: `${keys}/remove`, show: askRemoval, take: remove, ...guarded, page, about: 'passkey' },
    ];
  }

  function identityRows(): readonly Row[] {
    const identities = createIdentitiesPage(deps);
    return [
      { path: elsewhere, show: movedTo(`${page}#identities`) },
      { path: `${elsewhere}/connect/:provider`, show: identities.begin, ...guarded, page },
      // Not `fresh`: the way to the provider and back may take longer.
      { path: `${elsewhere}/callback/:provider`, show: identities.callback, page },
      { path: `${elsewhere}/confirm`, show: identities.showConfirm, factor: true, page },
      { path: `${elsewhere}/connect`, take: identities.connect, factor: true, page },
      {
        path: `${elsewhere}/remove`,
        show: identities.askRemoval,
        take: identities.remove,
        ...guarded,
        page,
        about: 'identity',
      },
    ];
  }
}

/** Takes the flash message along, because the new page shows it. */
const movedTo =
  (to: string): Show =>
  async ({ note }) =>
    Object.keys(note).length > 0 ? { to, note } : { to };
