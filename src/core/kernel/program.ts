/**
 * The program and the system in a User-Agent, such as "Firefox" and "Linux". For display only: a client can send any
 * text.
 */
interface Program {
  readonly program?: string | undefined;
  readonly system?: string | undefined;
}

/** The order matters: most of these also claim to be one further down. */
const programs: readonly [string, RegExp][] = [
  ['Edge', /\bEdg(A|iOS)?\//],
  ['Opera', /\b(OPR|Opera)\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Vivaldi', /\bVivaldi\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Headless)?(Chrome|CriOS)\//],
  ['Chromium', /\bChromium\//],
  ['Safari', /\bVersion\/[\d.]+.* Safari\//],
];

const systems: readonly [string, RegExp][] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b|\bMacintosh\b/],
  ['Linux', /\bLinux\b|\bX11\b/],
];

/** `onlyKnown`: leaves out a program that is not in the list, because its name could be any text. */
export function programOf(userAgent: string | null | undefined, { onlyKnown = false } = {}): Program {
  if (!userAgent) return {};
  const named = (list: readonly [string, RegExp][]) => list.find(([, form]) => form.test(userAgent))?.[0];
  // A program that is not a browser: `curl/8.9.1`, `okhttp/4.12`.
  const own = onlyKnown ? undefined : /^([\w.+ -]{2,40})\/[\w.-]+/.exec(userAgent)?.[1];
  return { program: named(programs) ?? (own === 'Mozilla' ? undefined : own), system: named(systems) };
}
