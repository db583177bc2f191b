// Rates a new password while the user types. The server decides; this only saves a round trip. `fold` and `isPattern`
// are the server's own rules, appended to this file when it is served.

for (const meter of document.querySelectorAll('[data-strength]')) {
  const { strength, least, own, more, like, simple, good } = meter.dataset;
  const input = document.getElementById(strength);
  const judge = (typed) => {
    if (typed === '') return '';
    const missing = least - Array.from(typed).length;
    if (missing > 0) return more.replace('{count}', missing.toLocaleString(document.documentElement.lang));
    const text = fold(typed);
    const names = own.split(' ').flatMap((id) => fold(document.getElementById(id)?.value ?? '').split('@', 1));
    const rest = (name) => text.replaceAll(name, '').length;
    if (names.some((name) => name.length > 2 && rest(name) < Math.max(6, name.length))) return like;
    return isPattern(text) ? simple : good;
  };
  let soon;
  input.addEventListener('input', () => {
    clearTimeout(soon);
    // Delayed, because a screen reader would read out each change.
    soon = setTimeout(() => {
      meter.textContent = judge(input.value);
      meter.classList.toggle('good', meter.textContent === good);
    }, 300);
  });
}
