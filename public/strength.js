// Rates a new password while the user types. The server decides; this only saves a round trip. `fold`, `isPattern`,
// `passwordLength`, `nameParts` and `isMostly` are the server's own rules, appended to this file when it is served.

for (const meter of document.querySelectorAll('[data-strength]')) {
  const { strength, least, own = '', service = '', counts, like, simple, good } = meter.dataset;
  const input = document.getElementById(strength);
  const bar = meter.querySelector('progress');
  const words = meter.querySelector('p');
  const rule = words.textContent;
  const judge = (typed) => {
    if (typed === '') return ['', rule];
    const missing = least - passwordLength(typed);
    if (missing > 0) return ['', counts.split('|')[missing - 1]];
    const text = fold(typed);
    const names = own.split(' ').map((id) => document.getElementById(id)?.value ?? '');
    if ([...names, service].flatMap((name) => nameParts(fold(name))).some((part) => part && isMostly(text, part)))
      return ['bad', like];
    return isPattern(text) ? ['bad', simple] : ['good', good];
  };
  let soon;
  input.addEventListener('input', () => {
    const [level, text] = judge(input.value);
    bar.value = Math.min(passwordLength(input.value), least);
    meter.dataset.level = level;
    clearTimeout(soon);
    // Delayed, because a screen reader would read out each change.
    soon = setTimeout(() => {
      // What the server said was about another password.
      document.getElementById(`${strength}-error`)?.remove();
      input.removeAttribute('aria-invalid');
      if (words.textContent !== text) words.textContent = text;
    }, 300);
  });
}
