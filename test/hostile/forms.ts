/**
 * The pages' forms, as targets. Which addresses take one, the route table says: a form
 * that neither targets.ts attacks nor this table knows ends the run. Pages without a form need no row.
 */
import type { App } from '../../src/app.ts';
import { password } from '../support/server.ts';
import type { Route } from './routes.ts';
import type { Good, Parameters, Target } from './targets.ts';

interface Form {
  readonly fields: (good: Good) => Parameters;
  readonly query?: (good: Good) => Parameters;
  /** The page of the same path asks first, with the fields in its query. */
  readonly asks?: true;
}

const newcomer = ({ member }: Good): Parameters => ({
  username: `new-${member.username}`,
  ...{ first_name: 'Ada', last_name: 'Lovelace', email: '', password: 'nine pears on a shelf' },
});
const nothing: Form = { fields: () => ({}) };
const asked = (name: string, more: Parameters = {}): Form => ({ fields: () => ({ [name]: 'x', ...more }), asks: true });

/** By the path as the table has it. What would end the person's account or session itself is a little wrong already. */
const forms: Readonly<Record<string, Form>> = {
  '/interaction/:uid/sign-up': { fields: newcomer },
  '/interaction/:uid/accounts': { fields: () => ({ account: 'x' }) },
  '/sign-up': { fields: newcomer },
  '/sign-up/again': nothing,
  '/invite': { fields: newcomer, query: ({ links }) => ({ token: links.invitation }) },
  '/forgot': { fields: ({ username }) => ({ username }) },
  '/reset': {
    fields: ({ links }) => ({ csrf: links.resetCsrf, password: 'nine pears on a shelf' }),
    query: ({ links }) => ({ token: links.reset }),
  },
  '/verify-email': { fields: () => ({ password }), query: ({ links }) => ({ token: links.email }) },
  '/upstream/:provider/callback': { fields: () => ({ code: 'x', state: 'y', user: '{"name":{"firstName":"Ada"}}' }) },
  '/account/profile': {
    fields: () => ({
      ...{
        first_name: 'Ada',
        last_name: 'Lovelace',
        locale: 'de',
        picture: 'https://x.example/a',
        phone: '+4930123456',
      },
      ...{
        zoneinfo: 'Europe/Berlin',
        street_address: 'A 1',
        locality: 'B',
        region: 'C',
        postal_code: '1',
        country: 'D',
      },
      formatted: 'A 1',
    }),
  },
  '/account/email': { fields: ({ member }) => ({ email: `${member.username}@other.example.org` }) },
  '/account/password': { fields: () => ({ current: password, password: 'nine pears' }) },
  '/account/factors/remove': asked('factor'),
  '/account/factors/rename': asked('factor', { name: 'Phone' }),
  '/account/factors/codes': nothing,
  '/account/factors/codes/saved': {
    fields: () => ({ recovery_code: 'abcd-efgh-jkmn-pqrs', codes: 'a b', added: 'x' }),
  },
  '/account/factors/codes.txt': { fields: () => ({ codes: 'abcd-efgh ijkl-mnop' }) },
  '/account/factors/begin': { fields: () => ({ name: 'Phone' }) },
  '/account/factors/app': { fields: () => ({ code: '000000' }) },
  '/account/factors/email-code': nothing,
  '/account/passkeys/add': { fields: () => ({ credential: '{"id":"AAAA","response":{}}', name: 'Key' }) },
  '/account/passkeys/rename': asked('passkey', { name: 'Key' }),
  '/account/passkeys/remove': asked('passkey'),
  '/account/sessions/end': asked('session', { from: 'overview' }),
  '/account/sessions/end-others': nothing,
  '/account/connections/end': { fields: ({ reader }) => ({ client: reader, from: 'overview' }), asks: true },
  '/account/applications/delete': { fields: ({ client }) => ({ client: client.id }), asks: true },
  '/account/identities/connect': nothing,
  '/account/identities/remove': asked('identity'),
  '/account/delete': { fields: ({ member }) => ({ username: `${member.username}x` }) },
};

interface PageRoute {
  readonly method: 'GET' | 'POST';
  /** As the table has it. */
  readonly path: string;
}

/** What is no API's: its routes have a list of their own (routes.ts). */
function pageRoutes(app: App, api: readonly Route[]): PageRoute[] {
  const found = app.routes.flatMap(({ path, methods }) =>
    (['GET', 'POST'] as const).filter((method) => methods.includes(method)).map((method) => ({ method, path })),
  );
  return found.filter(({ path }) => !api.some(({ matches }) => matches(path.replaceAll(/:\w+/g, 'x'))));
}

/** One target for each page and form that has none of its own. */
export function formTargets(
  app: App,
  api: readonly Route[],
  targets: Readonly<Record<string, Target>>,
  good: Good,
): Readonly<Record<string, Target>> {
  const open = pageRoutes(app, api).filter(({ method, path }) => {
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}(\\?|$)`);
    return !Object.values(targets).some((target) => target.method === method && pattern.test(target.path(good)));
  });
  const posts = new Set(open.filter(({ method }) => method === 'POST').map(({ path }) => path));
  const forgotten = [...posts].filter((path) => !(path in forms));
  const idle = Object.keys(forms).filter((path) => !posts.has(path));
  if (forgotten.length + idle.length > 0) {
    throw new Error(
      `forms that nothing is thrown at: ${forgotten.join(', ') || 'none'}; rows without a form: ${idle.join(', ') || 'none'} (test/hostile/forms.ts)`,
    );
  }
  return Object.fromEntries(open.map((route) => [`${route.method} ${route.path}`, targetOf(route)]));
}

function targetOf({ method, path }: PageRoute): Target {
  const form = method === 'POST' ? forms[path] : undefined;
  const question = forms[path]?.asks ? forms[path] : undefined;
  const own = path.startsWith('/interaction/');
  const credentials = (good: Good) => (own ? good.login : good.member);
  return {
    method,
    path: ({ login }) => path.replace(':uid', login.uid).replaceAll(/:\w+/g, 'x'),
    query: (good) => form?.query?.(good) ?? (form ? {} : (question?.fields(good) ?? { x: '1' })),
    ...(form && { form: (good) => ({ csrf: credentials(good).csrf, ...form.fields(good) }) }),
    headers: (good) => ({
      Cookie: credentials(good).cookies,
      Accept: 'text/html',
      ...(form && { Origin: good.issuer }),
    }),
  };
}
