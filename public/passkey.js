// Shows the passkey forms if the browser supports passkeys. The form's data-passkey or data-new-passkey holds the
// options as JSON. The authenticator's response goes into the form's own field, and the form is submitted as usual.

// A challenge expires after five minutes, but a page may stay open longer. So the page is loaded for a fresh one.
const freshMs = 240_000;

const { credentials } = navigator;
const PKC = window.PublicKeyCredential;

// For browsers before 2025, without native conversion to and from this JSON.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(
    /[+/=]/g,
    (sign) => ({ '+': '-', '/': '_' })[sign] ?? '',
  );
const known = (list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));
const read = (json) => ({
  ...json,
  challenge: bytes(json.challenge),
  ...(json.user && { user: { ...json.user, id: bytes(json.user.id) } }),
  allowCredentials: known(json.allowCredentials),
  excludeCredentials: known(json.excludeCredentials),
});
const parts = ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle', 'attestationObject'];
const written = (credential) => {
  // A password manager may replace the browser's implementation, without toJSON or with one that throws.
  try {
    return credential.toJSON();
  } catch {
    const { id, type, response } = credential;
    const given = parts.filter((part) => response[part]).map((part) => [part, text(response[part])]);
    const json = { ...Object.fromEntries(given), transports: response.getTransports?.() };
    return { id, rawId: id, type, response: json, clientExtensionResults: {} };
  }
};

for (const form of document.querySelectorAll('[data-passkey], [data-new-passkey]')) {
  const make = form.dataset.passkey === undefined;
  const optionsOf = ({ dataset }) => JSON.parse(make ? dataset.newPasskey : dataset.passkey);
  const button = form.querySelector('button');
  const hint = form.querySelector('[role=status]');
  const answer = form.querySelector('[data-answer]');
  let options = optionsOf(form);
  let since = performance.now();
  let asking;

  async function fresh() {
    if (performance.now() - since < freshMs) return;
    const page = await (await fetch(location.href, { headers: { Accept: 'text/html' } })).text();
    const attribute = make ? '[data-new-passkey]' : '[data-passkey]';
    const again = new DOMParser().parseFromString(page, 'text/html').querySelector(attribute);
    // The sign-in is no longer fresh: that page leads through one and back here.
    if (!again && form.dataset.again) {
      location.assign(form.dataset.again);
      return new Promise(() => {});
    }
    if (!again) return;
    options = optionsOf(again);
    since = performance.now();
  }

  async function ask(mediation) {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    await fresh();
    const credential = make
      ? await credentials.create({ publicKey: PKC.parseCreationOptionsFromJSON?.(options) ?? read(options), signal })
      : await credentials.get({
          publicKey: PKC.parseRequestOptionsFromJSON?.(options) ?? read(options),
          signal,
          ...(mediation && { mediation }),
        });
    if (signal.aborted) return;
    answer.value = JSON.stringify(written(credential));
    // The box of the adjacent form applies to both forms.
    const kept = form.querySelector('[name=keep]');
    if (kept) kept.disabled = !document.querySelector('[type=checkbox][name=keep]')?.checked;
    form.requestSubmit();
  }

  // Offers passkeys in the name field while the page is open.
  async function offer() {
    if (form.dataset.autofill === undefined || !(await PKC.isConditionalMediationAvailable?.())) return;
    const renew = setTimeout(offer, freshMs + 1000);
    try {
      await ask('conditional');
    } catch {
      // Aborted by the button or by the next call.
    }
    clearTimeout(renew);
  }

  if (!PKC || !credentials) {
    for (const note of document.querySelectorAll('[data-without-passkeys]')) note.hidden = false;
    // Its place is not reserved any more. A form that makes a passkey leaves, because its heading stays.
    if (make) form.remove();
    form.dataset.gone = '';
    continue;
  }
  form.hidden = false;
  // A browser may restore an earlier value.
  answer.value = '';
  button.addEventListener('click', async () => {
    if (button.ariaBusy || !form.reportValidity()) return;
    button.ariaBusy = 'true';
    hint.textContent = '';
    try {
      await ask();
    } catch ({ name }) {
      hint.textContent = name === 'InvalidStateError' ? hint.dataset.known : hint.dataset.failed;
      void offer();
    }
    button.ariaBusy = null;
  });
  // Enter in the name field submits the form.
  form.addEventListener('submit', (event) => {
    if (answer.value) return;
    event.preventDefault();
    button.click();
  });
  void offer();
}
