// The playground: a public client in one page. It calls this server only and keeps its data in the tab's
// sessionStorage: the pending request (state, nonce, verifier), the tokens, and the log.

const root = document.getElementById('playground');
const { issuer, client: clientId, redirect: redirectUri, scope: signInScope } = root.dataset;
const texts = new Map();
for (const p of document.getElementById('texts').content.children) texts.set(p.dataset.key, p.textContent);
const t = (key) => texts.get(key) ?? key;

const storeKey = 'gatehouse-playground';
const empty = () => ({ log: [], tokens: {}, pending: undefined, server: undefined });
let store = read();

function read() {
  try {
    return { ...empty(), ...JSON.parse(sessionStorage.getItem(storeKey)) };
  } catch {
    return empty();
  }
}

function save() {
  sessionStorage.setItem(storeKey, JSON.stringify(store));
}

// ---- The log: plain data, drawn with textContent only ----

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

function draw(part) {
  switch (part.kind) {
    case 'text':
      return element('p', { className: 'small muted', textContent: part.text });
    case 'problem':
      return element(
        'p',
        { className: 'note bad' },
        element('strong', { textContent: part.title }),
        ` ${part.text ?? ''}`,
      );
    case 'code':
      return element('div', {}, element('h3', { textContent: part.title }), element('pre', { textContent: part.text }));
    case 'table': {
      const rows = part.rows.map(([name, value]) =>
        element('tr', {}, element('th', { scope: 'row', textContent: name }), element('td', { textContent: value })),
      );
      return element(
        'div',
        {},
        element('h3', { textContent: part.title }),
        element('table', {}, element('tbody', {}, ...rows)),
      );
    }
    case 'checks': {
      const items = part.checks.map(([key, passed]) =>
        element(
          'li',
          {},
          t(`check.${key}`),
          element('span', {
            className: `status ${passed ? 'good' : 'bad'}`,
            textContent: t(passed ? 'check.pass' : 'check.fail'),
          }),
        ),
      );
      return element(
        'div',
        {},
        element('h3', { textContent: t('label.checks') }),
        element('ul', { className: 'checks' }, ...items),
      );
    }
    case 'go': {
      const link = element('a', { className: 'button', href: part.url, textContent: t(`send.${part.what}`) });
      return element('p', {}, link);
    }
    default:
      return undefined;
  }
}

function drawEntry(entry) {
  const badge =
    entry.status && element('span', { className: `status ${entry.good ? 'good' : 'bad'}`, textContent: entry.status });
  const heading = element('summary', {}, entry.title, ...(badge ? [badge] : []));
  const box = element('details', { open: entry.open !== false }, heading, ...entry.parts.map(draw));
  document.getElementById('log').append(box);
  return box;
}

function log(title, parts, { status, good, open } = {}) {
  const entry = { title, parts, status, good, open };
  store.log.push(entry);
  save();
  const box = drawEntry(entry);
  refreshPage();
  box.scrollIntoView({ block: 'nearest' });
}

function refreshPage() {
  document.getElementById('empty').hidden = store.log.length > 0;
  for (const button of document.querySelectorAll('[data-needs]')) button.disabled = !isFor(button.dataset);
}

// True if the token exists and is valid for this API: a JWT names the API in `aud`; an opaque token is for userinfo.
function isFor({ needs, audience }) {
  const token = store.tokens[needs];
  if (!token || audience === undefined) return Boolean(token);
  const { claims } = decode(token) ?? { claims: { aud: `${issuer}/userinfo` } };
  return [claims.aud].flat().includes(`${issuer}${audience}`);
}

// ---- Talking to the server, and showing it ----

const pretty = (value) => JSON.stringify(value, undefined, 2);
const shownHeaders = ['content-type', 'cache-control', 'www-authenticate', 'retry-after', 'location'];

async function call(title, method, url, { headers = {}, form, open } = {}) {
  const lines = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  if (form)
    lines.push(
      'content-type: application/x-www-form-urlencoded',
      '',
      [...form].map(([name, value]) => `${name}=${value}`).join('\n'),
    );
  const request = { kind: 'code', title: t('label.request'), text: lines.join('\n') };
  let response;
  let body;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: form,
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
    });
    body = await response.text();
  } catch (problem) {
    log(title, [request, { kind: 'problem', title: t('error.network'), text: String(problem.message) }], {
      status: '—',
      good: false,
    });
    return {};
  }
  let json;
  try {
    json = JSON.parse(body);
  } catch {
    // Not JSON: shown unchanged.
  }
  const answer = [
    `${response.status} ${response.statusText}`.trim(),
    ...shownHeaders
      .filter((name) => response.headers.has(name))
      .map((name) => `${name}: ${response.headers.get(name)}`),
    '',
    json === undefined ? body.slice(0, 4000) : pretty(json),
  ];
  const parts = [request, { kind: 'code', title: t('label.answer'), text: answer.join('\n').trim() }];
  if (json?.error)
    parts.unshift({
      kind: 'problem',
      title: `${t('error.refused')} ${describe(json.error)}`,
      text: json.error_description,
    });
  for (const name of ['id_token', 'access_token']) {
    const decoded = decode(json?.[name]);
    if (decoded) parts.push({ kind: 'code', title: `${t('label.decoded')}: ${name}`, text: readable(decoded) });
  }
  log(title, parts, { status: String(response.status), good: response.ok, open });
  return { ok: response.ok, json };
}

const describe = (error) => (typeof error === 'string' ? error : JSON.stringify(error));

// Read once and stored, because each redirect to the server and back reloads this page.
async function discovery() {
  if (store.server?.issuer === issuer) return store.server;
  const url = `${issuer}/.well-known/openid-configuration`;
  const { ok, json } = await call(t('title.discovery'), 'GET', url, { open: false });
  if (!ok) throw new Error(`${t('title.discovery')}: ${url}`);
  store.server = json;
  save();
  return json;
}

// ---- Small crypto ----

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const sha256 = async (text) => base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));

function decode(token) {
  if (typeof token !== 'string' || token.split('.').length !== 3) return undefined;
  try {
    const [header, claims] = token.split('.', 2).map((part) => JSON.parse(new TextDecoder().decode(bytesOf(part))));
    return { header, claims };
  } catch {
    return undefined;
  }
}

const dates = new Set(['exp', 'iat', 'nbf', 'auth_time']);
function readable({ header, claims }) {
  const lines = pretty(claims)
    .split('\n')
    .map((line) => {
      const [, name, seconds] = /^ {2}"(\w+)": (\d+),?$/.exec(line) ?? [];
      return dates.has(name) ? `${line}  ← ${new Date(seconds * 1000).toLocaleString()}` : line;
    });
  return `${pretty(header)}\n${lines.join('\n')}`;
}

const algorithms = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
};

async function verify(token, jwks) {
  const { header } = decode(token);
  const algorithm = Object.hasOwn(algorithms, header.alg) ? algorithms[header.alg] : undefined;
  const jwk = jwks?.keys?.find((key) => key.kid === header.kid);
  if (!algorithm || !jwk) return false;
  try {
    const key = await crypto.subtle.importKey(
      'jwk',
      { kty: jwk.kty, n: jwk.n, e: jwk.e, crv: jwk.crv, x: jwk.x, y: jwk.y },
      algorithm,
      false,
      ['verify'],
    );
    const [header64, claims64, signature] = token.split('.');
    return await crypto.subtle.verify(
      algorithm,
      key,
      bytesOf(signature),
      new TextEncoder().encode(`${header64}.${claims64}`),
    );
  } catch {
    return false;
  }
}

// ---- The steps ----

async function authorize(parameters) {
  const server = await discovery();
  const verifier = random();
  const state = random();
  const nonce = random();
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    ...parameters,
    state,
    ...(/\bopenid\b/.test(parameters.scope) ? { nonce } : {}),
    code_challenge: await sha256(verifier),
    code_challenge_method: 'S256',
  });
  store.pending = { what: 'authorize', state, nonce: query.get('nonce'), verifier };
  const url = `${server.authorization_endpoint}?${query}`;
  log(t('title.authorize'), [
    { kind: 'text', text: `${t('about.authorize')} ${t('about.pkce')}` },
    { kind: 'table', title: t('label.parameters'), rows: [['GET', server.authorization_endpoint], ...query] },
    { kind: 'go', what: 'authorize', url },
  ]);
}

async function comeBack(answer) {
  const { pending } = store;
  store.pending = undefined;
  const parts = [{ kind: 'table', title: t('label.parameters'), rows: [...answer] }];
  if (pending?.what === 'logout' && !answer.has('code') && !answer.has('error')) {
    const same = answer.get('state') === pending.state;
    if (same) store.tokens = {};
    log(t('title.back_from_logout'), [...parts, { kind: 'checks', checks: [['state', same]] }], {
      status: same ? undefined : t('check.fail'),
      good: same,
    });
    return;
  }
  const server = await discovery();
  const sameState = pending !== undefined && answer.get('state') === pending.state;
  const sameServer = answer.get('iss') === issuer && server.issuer === issuer;
  parts.push({
    kind: 'checks',
    checks: [
      ['state', sameState],
      ['iss', sameServer],
    ],
  });
  const error = answer.get('error');
  if (error) {
    parts.unshift({
      kind: 'problem',
      title: `${t('error.refused')} ${error}`,
      text: answer.get('error_description') ?? '',
    });
  } else if (!sameState) {
    parts.unshift({ kind: 'problem', title: t('error.state') });
  } else if (!sameServer) {
    parts.unshift({ kind: 'problem', title: t('error.iss') });
  }
  const good = !error && sameState && sameServer;
  log(t('title.callback'), parts, { status: error ?? undefined, good });
  if (!good || !answer.has('code')) return;

  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId,
    code: answer.get('code'),
    redirect_uri: redirectUri,
    code_verifier: pending.verifier,
  });
  const { ok, json } = await call(t('title.redeem'), 'POST', server.token_endpoint, { form });
  if (ok) await keep(json, pending.nonce);
}

async function keep(json, nonce) {
  for (const name of ['access_token', 'refresh_token', 'id_token']) if (json[name]) store.tokens[name] = json[name];
  save();
  refreshPage();
  if (json.id_token) await checkIdToken(json.id_token, nonce);
}

async function checkIdToken(token, nonce) {
  const { jwks_uri } = await discovery();
  const { json: jwks } = await call(t('title.jwks'), 'GET', jwks_uri, { open: false });
  const { claims } = decode(token) ?? {};
  const checks = [
    ['signature', claims !== undefined && (await verify(token, jwks))],
    ['issuer', claims?.iss === issuer],
    ['audience', [claims?.aud].flat().includes(clientId)],
    ['expiry', claims?.exp * 1000 > Date.now()],
  ];
  if (nonce) checks.push(['nonce', claims?.nonce === nonce]);
  const good = checks.every(([, passed]) => passed);
  log(t('title.id_token'), [{ kind: 'checks', checks }], { status: t(good ? 'check.pass' : 'check.fail'), good });
}

const bearer = () => ({ headers: { authorization: `Bearer ${store.tokens.access_token}` } });

const steps = {
  signIn: () => authorize({ scope: signInScope }),
  userApi: () => authorize({ scope: 'user' }),
  consent: () => authorize({ scope: `${signInScope} offline_access`, prompt: 'consent' }),
  userinfo: async () => call(t('title.userinfo'), 'GET', (await discovery()).userinfo_endpoint, bearer()),
  userInfo: () => call(t('title.user_info'), 'GET', `${issuer}/user/info`, bearer()),
  refresh: async () => {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: store.tokens.refresh_token,
    });
    const { ok, json } = await call(t('title.refresh'), 'POST', (await discovery()).token_endpoint, { form });
    if (ok) await keep(json);
  },
  // Prefers the refresh token, whose revocation ends the whole grant. A JWT access token cannot be revoked alone.
  revoke: async () => {
    const name = store.tokens.refresh_token ? 'refresh_token' : 'access_token';
    const form = new URLSearchParams({ client_id: clientId, token: store.tokens[name], token_type_hint: name });
    const { ok } = await call(t('title.revoke'), 'POST', (await discovery()).revocation_endpoint, { form });
    if (ok) delete store.tokens[name];
    save();
    refreshPage();
  },
  logout: async () => {
    const { end_session_endpoint } = await discovery();
    const state = random();
    const query = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: redirectUri, state });
    if (store.tokens.id_token) query.set('id_token_hint', store.tokens.id_token);
    store.pending = { what: 'logout', state };
    log(t('title.logout'), [
      { kind: 'text', text: t('about.logout') },
      { kind: 'table', title: t('label.parameters'), rows: [['GET', end_session_endpoint], ...query] },
      { kind: 'go', what: 'logout', url: `${end_session_endpoint}?${query}` },
    ]);
  },
  clear: () => {
    sessionStorage.removeItem(storeKey);
    store = empty();
    document.getElementById('log').replaceChildren();
    refreshPage();
  },
};

async function attempt(step) {
  try {
    await step();
  } catch (problem) {
    const parts = [{ kind: 'problem', title: t('title.failed'), text: String(problem.message) }];
    log(t('title.failed'), parts, { good: false });
  }
}

root.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-do]');
  if (!button || button.getAttribute('aria-busy')) return;
  button.setAttribute('aria-busy', 'true');
  await attempt(steps[button.dataset.do]);
  button.removeAttribute('aria-busy');
});

for (const entry of store.log) {
  // The URL in an earlier entry was valid once: its button is removed, its parameters stay.
  entry.parts = entry.parts.filter((part) => part.kind !== 'go');
  entry.open = false;
  drawEntry(entry);
}
refreshPage();

for (const part of root.querySelectorAll('.steps, .log')) part.hidden = false;
if (location.origin !== new URL(issuer).origin) document.getElementById('elsewhere').hidden = false;
if (!crypto.subtle) log(t('title.failed'), [{ kind: 'problem', title: t('error.insecure') }], { good: false });

const answer = new URLSearchParams(location.search);
if (answer.size > 0) {
  // Removes the code from the address bar and the history first.
  history.replaceState(undefined, '', location.pathname);
  await attempt(() => comeBack(answer));
}
