/**
 * The colours of a brand, as a style sheet that follows `gatehouse.css`.
 *
 * An operator chooses one accent colour; it must stay readable in the light and the dark scheme. Buttons keep the exact
 * accent and get the text colour that is readable on it. Links and other text get the nearest shade with a contrast of
 * 4.5:1 on each of their backgrounds (WCAG 2.2, 1.4.3). A background colour is tinted until the text on it is readable.
 *
 * The URL of a theme holds all of its colours, so nothing is stored for each client.
 */
import { colourOf, contrast, oklchOf } from './colour.ts';

export interface Theme {
  /** `#rrggbb`. */
  readonly accent?: string | undefined;
  /** One colour, or the two ends of a gradient. */
  readonly background?: readonly string[] | undefined;
}

/** Increase this number if the derivation of the colours changes: browsers cache the URL for a year. */
const revision = 1;
const colour = /^#[0-9a-f]{6}$/;
const gray = 265 * (Math.PI / 180);
const made = (lightness: number, chroma: number) => colourOf({ lightness, chroma, hue: gray });

/** The same values as in `gatehouse.css`. `step`: the direction in which text becomes more readable. */
const schemes = {
  light: {
    card: '#ffffff',
    ground: made(0.975, 0.006),
    muted: made(0.48, 0.02),
    accent: made(0.5, 0.17),
    step: -1,
    softLightness: 0.95,
    softChroma: 0.03,
    strength: 0.06,
    groundBound: 1,
  },
  dark: {
    card: made(0.215, 0.018),
    ground: made(0.17, 0.015),
    muted: made(0.74, 0.02),
    accent: made(0.74, 0.12),
    step: 1,
    softLightness: 0.3,
    softChroma: 0.05,
    strength: 0.07,
    groundBound: 0.2,
  },
} as const;
type Scheme = (typeof schemes)[keyof typeof schemes];

/** What stands behind the content of a page, in light and in dark. */
export const cardColours: readonly string[] = [schemes.light.card, schemes.dark.card];

/** 4.5, plus a margin for rounding to eight bits. */
const readable = 4.55;

/** Returns undefined if the theme has no colours, or if one of them is not `#rrggbb`. */
export function themeAddress({ accent, background = [] }: Theme): string | undefined {
  const parts = [...(accent === undefined ? [] : [['a', accent]]), ...background.slice(0, 2).map((end) => ['b', end])];
  if (parts.length === 0 || !parts.every(([, value = '']) => colour.test(value))) return undefined;
  return `/brand/theme-${parts.map(([kind, value = '']) => kind + value.slice(1)).join('-')}.css?v=${revision}`;
}

/** Parses `/brand/theme-….css`. Returns undefined for any other path. */
export function themeAt(path: string): Theme | undefined {
  const [, accent, ...background] =
    /^\/brand\/theme(?:-a([0-9a-f]{6}))?(?:-b([0-9a-f]{6}))?(?:-b([0-9a-f]{6}))?\.css$/.exec(path) ?? [];
  const ends = background.filter((end) => end !== undefined).map((end) => `#${end}`);
  return accent === undefined && ends.length === 0 ? undefined : { accent: accent && `#${accent}`, background: ends };
}

export function themeSheet(theme: Theme): string {
  const light = block(tokensOf(theme, schemes.light));
  const dark = block(tokensOf(theme, schemes.dark));
  // Printed pages keep the plain background of `gatehouse.css`.
  return `@media screen{${light}}\n@media screen and (prefers-color-scheme:dark){${dark}}\n`;
}

interface Tokens {
  readonly [name: `--${string}`]: string;
}

export function tokensOf({ accent, background = [] }: Theme, scheme: Scheme | keyof typeof schemes): Tokens {
  const of = typeof scheme === 'string' ? schemes[scheme] : scheme;
  const family = accent === undefined ? undefined : accentFamily(accent, of);
  const texts = [of.muted, family?.accent ?? of.accent];
  const ends = background.map((end) => tint(end, texts, of));
  const [ground] = ends;
  return {
    ...(family && {
      '--accent': family.accent,
      '--accent-strong': family.strong,
      '--accent-soft': family.soft,
      '--fill': family.fill,
      '--fill-strong': family.fillStrong,
      '--fill-edge': family.fillEdge,
      '--accent-text': family.fillText,
    }),
    ...(ground && {
      '--ground': ground,
      '--backdrop': ends.length > 1 ? `linear-gradient(160deg,${ends.join(',')})` : ground,
    }),
  };
}

function accentFamily(accent: string, { card, ground, step, softLightness, softChroma, strength }: Scheme) {
  const own = oklchOf(accent);
  const soft = colourOf({ ...own, lightness: softLightness, chroma: Math.min(own.chroma, softChroma) });
  const shade = (by: number) => colourOf({ ...own, lightness: own.lightness + by });
  // The text stands on a card, on the page background and on the soft accent of a mark.
  const text = until(own.lightness, step, (at) => {
    const candidate = colourOf({ ...own, lightness: at });
    return [card, ground, soft].every((under) => contrast(candidate, under) >= readable) ? candidate : undefined;
  });
  const onText = oklchOf(text);
  const white = contrast('#ffffff', accent) >= readable;
  const dark = colourOf({ ...own, lightness: 0.18, chroma: Math.min(own.chroma, 0.03) });
  const fillText = white ? '#ffffff' : contrast(dark, accent) >= readable ? dark : '#000000';
  return {
    accent: text,
    strong: colourOf({ ...onText, lightness: onText.lightness + step * strength }),
    soft,
    fill: accent,
    // A pressed button moves away from its text colour, so it stays readable.
    fillStrong: shade(white ? -0.06 : 0.06),
    // A button with too little contrast to its card gets an edge (WCAG 2.2, 1.4.11).
    fillEdge: contrast(accent, card) >= 3 ? accent : text,
    fillText,
  };
}

function tint(end: string, texts: readonly string[], { step, groundBound }: Scheme): string {
  const own = oklchOf(end);
  const start = step < 0 ? own.lightness : Math.min(own.lightness, groundBound);
  return until(start, -step, (at) => {
    const candidate = colourOf({ ...own, lightness: at });
    return texts.every((text) => contrast(text, candidate) >= readable) ? candidate : undefined;
  });
}

/**
 * The first accepted lightness, up or down from `start`. Falls back to black or white, which always have enough
 * contrast.
 */
function until(start: number, step: number, accept: (lightness: number) => string | undefined): string {
  for (let at = start; at > 0 && at < 1; at += step * 0.005) {
    const found = accept(at);
    if (found !== undefined) return found;
  }
  return step < 0 ? '#000000' : '#ffffff';
}

function block(tokens: Tokens): string {
  return `:root{${Object.entries(tokens)
    .map(([name, value]) => `${name}:${value}`)
    .join(';')}}`;
}
