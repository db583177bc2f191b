/** What a camera would read off the page. */
export async function decoded(html: string): Promise<string> {
  const { default: decode } = await import('qr/decode.js');
  const size = Number(/viewBox="0 0 (\d+) \1" role="img"/.exec(html)?.[1]);
  const path = /stroke="#000" d="([^"]+)"/.exec(html)?.[1] ?? '';
  const scale = 4;
  const side = size * scale;
  const data = new Uint8Array(side * side * 4).fill(255);
  let [x, y] = [0, 0];
  for (const [, kind, a, b] of path.matchAll(/([Mmh])(\d+)(?: (\d+(?:\.5)?))?/g)) {
    if (kind === 'M') [x, y] = [Number(a), Math.floor(Number(b))];
    if (kind === 'm') x += Number(a);
    if (kind !== 'h') continue;
    for (let dark = 0; dark < Number(a); dark += 1, x += 1) {
      for (let dy = 0; dy < scale; dy += 1)
        for (let dx = 0; dx < scale; dx += 1) {
          const at = ((y * scale + dy) * side + x * scale + dx) * 4;
          data.fill(0, at, at + 3);
        }
    }
  }
  return decode({ width: side, height: side, data });
}
