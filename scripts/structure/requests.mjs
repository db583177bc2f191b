// The requests whose files are counted. Their preparation is not counted.
import { createHash, randomBytes } from 'node:crypto';

const password = 'seven lemons under glass';
const redirect = 'https://bookshelf.example/callback';

/** Title -> a function that prepares the request and resolves with a function that sends it. */
export async function requestsOf({ url, adminKey }) {
  const admin = { 'x-admin-key': adminKey, 'content-type': 'application/json' };
  const metadata = () => ({ app_name: 'Bookshelf', contact_email: 'team@bookshelf.example', redirect_url: redirect });
  const register = (body) =>
    send(`${url}/clients/register`, { method: 'POST', headers: admin, body: JSON.stringify(body) });

  const client = JSON.parse((await register({ ...metadata(), scope: 'user' })).text);
  const username = 'ada';
  await send(`${url}/v1/register`, { method: 'POST', headers: { authorization: basic(username, password) } });
  const credentials = { authorization: basic(client.client_id, client.client_secret) };

  const authorization = ({ client_id } = client) => {
    const verifier = random();
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: redirect,
      scope: 'user',
      state: 'xyz',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    return { verifier, address: `${url}/oauth/authorize?${query}` };
  };
  const loginPage = async (browser, application) => {
    const { verifier, address } = authorization(application);
    return { verifier, page: await browser.open(address) };
  };
  const signIn = (browser, page) => browser.submit(page, { username, password }, { follow: false });
  /** Signs in, gives consent if asked, and returns the authorization code. */
  const codeOf = async (browser) => {
    const { verifier, page } = await loginPage(browser);
    let answer = await browser.submit(page, { username, password });
    if (answer.status === 200) answer = await browser.submit(answer, { answer: 'allow' });
    return { code: codeIn(answer), code_verifier: verifier };
  };
  const token = (form) =>
    send(`${url}/oauth/token`, { method: 'POST', headers: credentials, body: new URLSearchParams(form) });
  const redeem = (grant) => token({ grant_type: 'authorization_code', redirect_uri: redirect, ...grant });
  const tokens = async () => JSON.parse((await redeem(await codeOf(createBrowser()))).text);

  return {
    'a login POST': async () => {
      const browser = createBrowser();
      const { page } = await loginPage(browser);
      return () => signIn(browser, page).then(expect(303));
    },
    'a token request': async () => {
      const grant = await codeOf(createBrowser());
      return () => redeem(grant).then(expect(200));
    },
    'GET /v1/login': async () => () =>
      send(`${url}/v1/login`, { headers: { authorization: basic(username, password) } }).then(expect(200)),
    'POST /clients/register': async () => () => register(metadata()).then(expect(200, 201)),
    'GET /oauth/authorize, not signed in': async () => {
      const browser = createBrowser();
      return () => browser.open(authorization().address, { follow: false }).then(expect(303));
    },
    'the login page': async () => {
      const browser = createBrowser();
      const { location } = await browser.open(authorization().address, { follow: false });
      return () => browser.open(location).then(expect(200));
    },
    'a consent POST': async () => {
      const browser = createBrowser();
      // A new client, for which the user has given no consent.
      const application = JSON.parse((await register({ ...metadata(), scope: 'user' })).text);
      const { page } = await loginPage(browser, application);
      const consent = await browser.submit(page, { username, password });
      return () => browser.submit(consent, { answer: 'allow' }, { follow: false }).then(expect(303));
    },
    'GET /oauth/authorize, signed in, to the code': async () => {
      const browser = createBrowser();
      const { page } = await loginPage(browser);
      const answer = await browser.submit(page, { username, password });
      if (answer.status === 200) await browser.submit(answer, { answer: 'allow' });
      return () => browser.open(authorization().address, { follow: false }).then(expect(303));
    },
    'a refresh': async () => {
      const { refresh_token } = await tokens();
      return () => token({ grant_type: 'refresh_token', refresh_token }).then(expect(200));
    },
    'a request through the gateway': async () => {
      const { access_token } = await tokens();
      const headers = { authorization: `Bearer ${access_token}` };
      return () => send(`${url}/reports/today`, { headers }).then(expect(200));
    },
  };
}

const expect =
  (...statuses) =>
  (answer) => {
    if (!statuses.includes(answer.status)) {
      throw new Error(`${answer.url} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    }
    return answer;
  };

async function send(address, options = {}) {
  const response = await fetch(address, { redirect: 'manual', ...options });
  const location = response.headers.get('location');
  return {
    url: response.url,
    status: response.status,
    location: location === null ? undefined : new URL(location, address).href,
    cookies: response.headers.getSetCookie(),
    text: await response.text(),
  };
}

/** Keeps cookies regardless of path, follows redirects within the server, and submits the only form of a page. */
function createBrowser() {
  const jar = new Map();
  async function open(address, { follow = true, ...options } = {}) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(address, { ...options, headers: { accept: 'text/html', cookie } });
    for (const line of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const { location } = answer;
    const inside = location !== undefined && new URL(location).origin === new URL(address).origin;
    return follow && answer.status === 303 && inside ? open(location) : answer;
  }
  return {
    open,
    submit(page, fields, options) {
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      return open(page.url, { ...options, method: 'POST', body: new URLSearchParams({ csrf, ...fields }) });
    },
  };
}

const random = () => randomBytes(32).toString('base64url');
const basic = (name, secret) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

function codeIn({ status, location, text }) {
  const code = location && new URL(location).searchParams.get('code');
  if (!code) throw new Error(`no code in ${status} ${location} ${text.slice(0, 300)}`);
  return code;
}
