// How far a new password has come. What counts is what the server says; this only saves a round.
// `fold` and `isPattern` are the server's own rules: they stand at the end of this file as it is served.

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
    // Not at every key: a screen reader would read each of them out.
    soon = setTimeout(() => {
      meter.textContent = judge(input.value);
      meter.classList.toggle('good', meter.textContent === good);
    }, 300);
  });
}
