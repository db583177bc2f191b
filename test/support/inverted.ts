/**
 * A colour as mail programs make it that turn light and dark round by themselves: CIELAB with the lightness inverted.
 * Written from CIE 15, apart from the server's own arithmetic.
 */
type Triple = readonly [number, number, number];

const whitePoint: Triple = [0.95047, 1, 1.08883];
const toXyz: readonly Triple[] = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const toRgb: readonly Triple[] = [
  [3.2404542, -1.5371385, -0.4985314],
  [-0.969266, 1.8760108, 0.041556],
  [0.0556434, -0.2040259, 1.0572252],
];
const times = (rows: readonly Triple[], [x = 0, y = 0, z = 0]: readonly number[]): readonly number[] =>
  rows.map(([a, b, c]) => a * x + b * y + c * z);

export function inverted(colour: string): string {
  const linear = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [fx = 0, fy = 0, fz = 0] = times(toXyz, linear).map((value, at) => {
    const t = value / (whitePoint[at] ?? 1);
    return t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116;
  });
  const lightness = 100 - (116 * fy - 16);
  const y = (lightness + 16) / 116;
  const xyz = [y + fx - fy, y, y - (fy - fz)].map((f, at) => {
    const t = f ** 3 > 216 / 24389 ? f ** 3 : (116 * f - 16) / (24389 / 27);
    return t * (whitePoint[at] ?? 1);
  });
  return `#${times(toRgb, xyz).map(encoded).join('')}`;
}

function encoded(value: number): string {
  const clamped = Math.min(1, Math.max(0, value));
  const part = clamped <= 0.0031308 ? clamped * 12.92 : 1.055 * clamped ** (1 / 2.4) - 0.055;
  return Math.round(part * 255)
    .toString(16)
    .padStart(2, '0');
}
