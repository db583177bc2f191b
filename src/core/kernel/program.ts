/**
 * What a person recognises of the text in which a program names itself: "Firefox" and "Linux". For their eyes only, and it decides
 * nothing: anybody can send any text.
 */
interface Program {
  readonly program?: string | undefined;
  readonly system?: string | undefined;
}

/** In this order: most of them claim to be others that come later. */
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

export function programOf(userAgent: string | null | undefined): Program {
  if (!userAgent) return {};
  const named = (list: readonly [string, RegExp][]) => list.find(([, form]) => form.test(userAgent))?.[0];
  // A program that is no browser: `curl/8.9.1`, `okhttp/4.12`.
  const own = /^([\w.+ -]{2,40})\/[\w.-]+/.exec(userAgent)?.[1];
  return { program: named(programs) ?? (own === 'Mozilla' ? undefined : own), system: named(systems) };
}
