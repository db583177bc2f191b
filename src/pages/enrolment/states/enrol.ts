import { account, action, appSample, bookshelf, codesSample, csrf, type ViewState } from '../../kit/state.ts';
import { enrolProblems } from '../enrol.ts';

const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', user: { id: 'YWRh' }, excludeCredentials: [] });
const asked = { action, csrf, client: bookshelf, account, invited: false, app: true, passkey };

export const enrolStates: readonly ViewState[] = [
  { name: 'enrol', view: 'enrol', locals: asked },
  { name: 'enrol-no-client', view: 'enrol', locals: { ...asked, client: undefined, account: { username: 'ada' } } },
  { name: 'enrol-invited', view: 'enrol', locals: { ...asked, invited: true } },
  { name: 'enrol-passkey', view: 'enrol', locals: { ...asked, app: false } },
  ...enrolProblems.map(
    (problem): ViewState => ({ name: `enrol-${problem}`, view: 'enrol', locals: { ...asked, problem } }),
  ),
  { name: 'enrol-app', view: 'enrol-app', locals: { action, csrf, client: bookshelf, ...appSample } },
  ...(['missing', 'wrong'] as const).map(
    (error): ViewState => ({
      name: `enrol-app-${error}`,
      view: 'enrol-app',
      locals: { action, csrf, client: bookshelf, ...appSample, error },
    }),
  ),
  ...(['missing', 'wrong'] as const).map(
    (error): ViewState => ({
      name: `enrol-codes-${error}`,
      view: 'enrol-codes',
      locals: { action, csrf, client: bookshelf, codes: codesSample, error },
    }),
  ),
  { name: 'enrol-codes', view: 'enrol-codes', locals: { action, csrf, client: bookshelf, codes: codesSample } },
];
