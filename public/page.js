// Enhances the pages. Every form and link works without this script.

const find = (selector) => document.querySelectorAll(selector);

// Shows or hides the password. It is hidden again before submission, so that no browser stores it as plain text.
for (const button of find('.reveal')) {
  const input = document.getElementById(button.getAttribute('aria-controls'));
  const reveal = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  };
  button.hidden = false;
  button.addEventListener('click', () => reveal(input.type === 'password'));
  input.form.addEventListener('submit', () => reveal(false));
}

for (const hint of find('[data-caps]')) {
  const input = hint.closest('form').querySelector('[type=password]');
  const say = (event) => {
    const on = event.type !== 'blur' && event.getModifierState?.('CapsLock');
    const text = on ? hint.dataset.caps : '';
    if (hint.textContent !== text) hint.textContent = text;
  };
  for (const name of ['keydown', 'keyup', 'mousedown', 'blur']) input.addEventListener(name, say);
}

// Passes the choice of the "stay signed in" box on to the links to other providers.
for (const box of find('input[name=keep][type=checkbox]')) {
  const tell = () => {
    for (const link of find('a[data-keep]')) link.search = box.checked ? '?keep=yes' : '';
  };
  box.addEventListener('change', tell);
  // After a reload or Back, browsers restore the earlier value of the box.
  addEventListener('pageshow', tell);
}

// Marks the pressed button as busy and ignores a second press. The button is not disabled, because a disabled button's
// name and value are not submitted.
let sent;
const release = () => {
  sent?.removeAttribute('aria-busy');
  if (sent?.dataset.label) sent.textContent = sent.dataset.label;
  sent = undefined;
};
document.addEventListener('submit', (event) => {
  // The response is a file, so this page stays open.
  if (event.target.dataset.file !== undefined) return;
  if (sent) return event.preventDefault();
  sent = event.submitter;
  if (!sent) return;
  sent.setAttribute('aria-busy', 'true');
  if (sent.dataset.working) {
    sent.dataset.label = sent.textContent;
    sent.textContent = sent.dataset.working;
  }
  // If the response opens another program, this page stays open.
  setTimeout(release, 10_000);
});
// The Back button restores the page as it was left, so the button must be released.
addEventListener('pageshow', (event) => {
  if (event.persisted) release();
});

for (const button of find('[data-copy]')) {
  if (!navigator.clipboard) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      const parts = document.getElementById(button.dataset.copy).querySelectorAll('.note, dl > div');
      const lines = Array.from(parts, (part) => part.textContent.trim().replace(/\s+/g, ' '));
      await navigator.clipboard.writeText(lines.join('\n'));
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = label), 2000);
    } catch {
      // Without permission, the user can select the details by hand.
    }
  });
}

// The server formats times as UTC. The browser knows the user's time zone.
for (const time of find('time')) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
  time.textContent = format.format(new Date(time.dateTime));
}

for (const button of find('[data-auto]')) button.click();
