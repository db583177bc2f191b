// The forms of the API reference: each sends the request of its operation to this server and shows the answer. A form
// is made of the page's template when its part is opened. Cookies are not sent, so a request has only the credentials
// that are typed, and these are kept nowhere.

const longest = 100_000;

const element = (name, properties) => Object.assign(document.createElement(name), properties);

/** JSON is indented; everything else is shown as it is. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function authorization({ way, user, secret }, { credentials }) {
  const { kind, header } = credentials[way?.value] ?? {};
  const typed = secret?.value.trim();
  if (!kind || !typed) return [];
  // Each part is form-encoded before it is joined (RFC 6749, section 2.3.1).
  const basic = () => btoa([user.value, typed].map(encodeURIComponent).join(':'));
  const values = { header: () => typed, bearer: () => `Bearer ${typed}`, basic: () => `Basic ${basic()}` };
  return [[header, values[kind]()]];
}

function request(form, operation) {
  const filled = operation.inputs
    .map((input) => [input, form.elements[`${input.in}-${input.name}`].value])
    .filter(([, value]) => value !== '');
  const of = (place) => filled.filter(([input]) => input.in === place).map(([{ name }, value]) => [name, value]);
  const headers = new Headers([...authorization(form.elements, operation), ...of('header')]);
  if (operation.body) headers.set('Content-Type', operation.body.type);
  const path = of('path').reduce(
    (at, [name, value]) => at.replace(`{${name}}`, encodeURIComponent(value)),
    operation.path,
  );
  const query = new URLSearchParams(of('query'));
  return new Request(path + (query.size > 0 ? `?${query}` : ''), {
    method: operation.method,
    headers,
    ...(operation.body && { body: form.elements.body.value }),
    credentials: 'omit',
    redirect: 'manual',
    cache: 'no-store',
  });
}

async function send(form, operation, output) {
  const started = performance.now();
  const answer = await fetch(request(form, operation));
  if (answer.type === 'opaqueredirect') return output.replaceChildren(output.dataset.page);
  const text = await answer.text();
  const took = Math.round(performance.now() - started);
  const line = element('p', { className: 'small' });
  line.append(
    element('span', { textContent: answer.status, className: `status ${answer.ok ? 'good' : 'bad'}` }),
    ` ${took} ms`,
  );
  const headers = Array.from(answer.headers, ([name, value]) => `${name}: ${value}`).join('\n');
  const body = readable(text).slice(0, longest) || output.dataset.empty;
  output.replaceChildren(
    line,
    element('pre', { textContent: headers, className: 'muted' }),
    element('pre', { textContent: body }),
  );
}

/** Fills the template in with what the operation asks for, and takes out what it does not. */
function fill(form, { credentials, anonymous, inputs, body }) {
  const { way, user, secret, body: text } = form.elements;
  credentials.forEach(({ kind, header }, n) => {
    way.append(element('option', { value: n, textContent: kind === 'header' ? header : way.dataset[kind] }));
  });
  if (anonymous) way.append(element('option', { value: 'none', textContent: way.dataset.none }));
  const choose = () => {
    const { kind } = credentials[way.value] ?? {};
    user.parentElement.hidden = kind !== 'basic';
    secret.parentElement.hidden = !kind;
  };
  way.addEventListener('change', choose);
  choose();
  if (credentials.length === 0) {
    user.parentElement.parentElement.remove();
    way.parentElement.remove();
  }
  const places = form.querySelector('[data-inputs]');
  for (const { name, in: place, required } of inputs) {
    const label = element('label', {});
    const input = { name: `${place}-${name}`, required, autocapitalize: 'none', spellcheck: false };
    label.append(
      element('code', { textContent: name }),
      ' ',
      element('span', { className: 'muted', textContent: places.dataset[place] }),
      element('input', input),
    );
    places.append(label);
  }
  if (!body) return text.parentElement.remove();
  text.value = body.example;
  text.rows = Math.min(12, body.example.split('\n').length + 1);
  text.parentElement.querySelector('span').textContent = body.type;
}

function make(details) {
  const operation = JSON.parse(details.dataset.try);
  details.append(document.getElementById('try').content.cloneNode(true));
  const form = details.querySelector('form');
  const output = form.querySelector('output');
  const button = form.querySelector('[type=submit]');
  fill(form, operation);
  const copy = details.querySelector('[data-copied]');
  const label = [...copy.childNodes];
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(details.querySelector('pre').textContent);
    copy.replaceChildren(copy.dataset.copied);
    setTimeout(() => copy.replaceChildren(...label), 2000);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.ariaBusy) return;
    button.ariaBusy = 'true';
    try {
      await send(form, operation, output);
    } catch {
      output.replaceChildren(output.dataset.failed);
    }
    button.ariaBusy = null;
  });
}

for (const details of document.querySelectorAll('[data-try]'))
  details.addEventListener('toggle', () => details.querySelector('form') ?? make(details));
