/**
 * The colours of mails, light and dark, written into the HTML because mail programs load no style sheet. They are those
 * of the pages. Some mail programs swap light and dark by themselves; a test does the same, and looks at the contrast.
 */
import { colourOf } from '../brand/colour.ts';
import { tokensOf } from '../brand/theme.ts';

export interface MailColours {
  readonly ground: string;
  readonly card: string;
  /** Behind facts and codes. */
  readonly soft: string;
  readonly line: string;
  readonly ink: string;
  readonly muted: string;
  readonly link: string;
  /** The button's colour, its text, and its edge. */
  readonly fill: string;
  readonly fillText: string;
  readonly fillEdge: string;
}

const hue = 265 * (Math.PI / 180);
const gray = (lightness: number, chroma: number) => colourOf({ lightness, chroma, hue });
const calmBlue = colourOf({ lightness: 0.5, chroma: 0.17, hue });

const grays = {
  light: {
    ground: gray(0.975, 0.006),
    card: '#ffffff',
    soft: gray(0.975, 0.006),
    line: gray(0.9, 0.01),
    ink: gray(0.24, 0.02),
    muted: gray(0.48, 0.02),
  },
  dark: {
    ground: gray(0.17, 0.015),
    card: gray(0.215, 0.018),
    soft: gray(0.17, 0.015),
    line: gray(0.33, 0.02),
    ink: gray(0.94, 0.01),
    muted: gray(0.74, 0.02),
  },
} as const;

export function mailColours(accent: string = calmBlue): Readonly<Record<'light' | 'dark', MailColours>> {
  const of = (scheme: 'light' | 'dark'): MailColours => {
    const tokens = tokensOf({ accent }, scheme);
    const token = (name: `--${string}`) => tokens[name] ?? accent;
    return {
      ...grays[scheme],
      link: token('--accent'),
      fill: token('--fill'),
      fillText: token('--accent-text'),
      fillEdge: token('--fill-edge'),
    };
  };
  return { light: of('light'), dark: of('dark') };
}
