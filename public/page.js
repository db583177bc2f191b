// Small comforts for the pages. Every form and link works without this file.

const find = (selector) => document.querySelectorAll(selector);

// Show or hide what is typed. It goes back to hidden before it is sent, so that no browser keeps it as plain text.
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

// What the box for staying signed in says goes along to other providers, too.
for (const box of find('input[name=keep][type=checkbox]')) {
  const tell = () => {
    for (const link of find('a[data-keep]')) link.search = box.checked ? '?keep=yes' : '';
  };
  box.addEventListener('change', tell);
  // Browsers fill in what it was before a reload, or before Back.
  addEventListener('pageshow', tell);
}

// The pressed button shows that work is under way; a second press does nothing. It is not disabled: a disabled button's
// own name and value would be left out of what is sent.
let sent;
const release = () => {
  sent?.removeAttribute('aria-busy');
  if (sent?.dataset.label) sent.textContent = sent.dataset.label;
  sent = undefined;
};
document.addEventListener('submit', (event) => {
  // Its answer is a file: the page stays.
  if (event.target.dataset.file !== undefined) return;
  if (sent) return event.preventDefault();
  sent = event.submitter;
  if (!sent) return;
  sent.setAttribute('aria-busy', 'true');
  if (sent.dataset.working) {
    sent.dataset.label = sent.textContent;
    sent.textContent = sent.dataset.working;
  }
  // An answer that opens another program leaves this page standing.
  setTimeout(release, 10_000);
});
// Coming back with the Back button finds the page as it was left: usable again.
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
      // Not permitted: the details are on the page to be selected by hand.
    }
  });
}

// The server says times as UTC; where its person is, the browser knows.
for (const time of find('time')) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
  time.textContent = format.format(new Date(time.dateTime));
}

for (const button of find('[data-auto]')) button.click();
