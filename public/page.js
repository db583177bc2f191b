// Enhances the pages. Every form and link works without this script. `enhance` is also given what a dialog loads.

const formatted = (time, style) => new Intl.DateTimeFormat(document.documentElement.lang, style).format(time);
const whole = (time) => formatted(time, { dateStyle: 'medium', timeStyle: 'short' });

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

// A menu closes as people expect: with Escape, and with a click elsewhere.
addEventListener('keydown', ({ key }) => {
  const menu = key === 'Escape' && document.querySelector('.menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
addEventListener('click', ({ target }) => {
  for (const menu of document.querySelectorAll('.menu[open]')) if (!menu.contains(target)) menu.open = false;
});

// Shows the page that a link leads to in a dialog: the card of that page, which asks for a confirmation.
async function openDialog(link) {
  const answer = await fetch(link.href, { headers: { Accept: 'text/html' } });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const card = page.querySelector('main > .card');
  // The person has to sign in first, or something is wrong: that page says it.
  if (answer.redirected || !answer.ok || !card) return location.assign(link.href);
  const dialog = Object.assign(document.createElement('dialog'), { className: 'dialog' });
  const heading = card.querySelector('h1');
  heading.id = 'dialog-title';
  dialog.setAttribute('aria-labelledby', heading.id);
  dialog.append(document.adoptNode(card));
  for (const back of dialog.querySelectorAll('[data-close]')) {
    back.addEventListener('click', (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  enhance(dialog);
  dialog.showModal();
}

// Groups rows by the days of the browser. The server has grouped them by days in UTC, each with a heading and a list.
function groupByDay(days) {
  const rows = [...days.querySelectorAll('li')];
  const [heading, list] = ['h2', 'ul'].map((name) => days.querySelector(name).cloneNode());
  const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
  const today = midnight(Date.now());
  days.replaceChildren();
  let last;
  for (const row of rows) {
    const day = midnight(row.querySelector('time').dateTime);
    if (day !== last) {
      const past = Math.round((today - day) / 86_400_000);
      const near = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto' }).format(-past, 'day');
      const name =
        past === 0 || past === 1 ? near[0].toUpperCase() + near.slice(1) : formatted(day, { dateStyle: 'full' });
      days.append(Object.assign(heading.cloneNode(), { textContent: name }), list.cloneNode());
    }
    days.lastChild.append(row);
    last = day;
  }
}

function enhance(root) {
  const find = (selector) => root.querySelectorAll(selector);

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

  for (const link of find('a[data-dialog]')) {
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openDialog(link).catch(() => location.assign(link.href));
    });
  }

  // `data-copy` is the id of what is copied: its notices, names with values and codes, a line each, or else its text.
  for (const button of find('[data-copy]')) {
    if (!navigator.clipboard) continue;
    const label = [...button.childNodes];
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        const source = document.getElementById(button.dataset.copy);
        const parts = source.querySelectorAll('.note, dl > div, li > code');
        const lines = Array.from(parts.length ? parts : [source], (part) =>
          part.textContent.trim().replace(/\s+/g, ' '),
        );
        await navigator.clipboard.writeText(lines.join('\n'));
        const icon = button.querySelector('svg');
        button.replaceChildren(...(icon ? [icon] : []), button.dataset.copied);
        setTimeout(() => button.replaceChildren(...label), 2000);
      } catch {
        // Without permission, the user can select the details by hand.
      }
    });
  }

  // The browser's own list of time zones, 13 KB that need not be sent. Without it, the name is typed.
  for (const list of find('[data-zones]'))
    list.append(
      ...['UTC', ...Intl.supportedValuesOf('timeZone')].map((value) =>
        Object.assign(document.createElement('option'), { value }),
      ),
    );

  for (const button of find('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }

  for (const line of find('[data-back]')) {
    line.hidden = history.length < 2;
    line.addEventListener('click', () => history.back());
  }

  // The server formats times as UTC. The browser knows the user's time zone. A relative time and a time of day show the
  // whole one on hover.
  for (const time of find('time')) {
    const at = new Date(time.dateTime);
    const { ago, clock } = time.dataset;
    if (ago === undefined && clock === undefined) time.textContent = whole(at);
    else time.title = whole(at);
    if (clock !== undefined) time.textContent = formatted(at, { timeStyle: 'short' });
  }
  for (const days of find('[data-days]')) groupByDay(days);

  for (const button of find('[data-auto]')) button.click();
}

enhance(document);
