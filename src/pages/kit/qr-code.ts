/** A QR code as one SVG path. It is drawn here, so the secret in it goes to no service and the page needs no script. */

interface QrCode {
  /** Side of the square in modules, with the quiet zone of four on each side (ISO/IEC 18004, 9.1). */
  readonly size: number;
  /** Horizontal strokes, one module wide. */
  readonly path: string;
}

const quiet = 4;

export async function qrCode(text: string): Promise<QrCode> {
  // Loaded on first use: most server runs never need it.
  const { default: encode } = await import('qr');
  const rows = encode(text, 'raw', { ecc: 'medium', border: quiet });
  return { size: rows.length, path: rows.map(strokes).join('') };
}

/** Relative moves make the path half as long as absolute ones. */
function strokes(row: readonly boolean[], y: number): string {
  let path = '';
  let at = 0;
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    let end = x;
    while (row[end]) end += 1;
    path += `${path === '' ? `M${x} ${y}.5` : `m${x - at} 0`}h${end - x}`;
    at = end;
    x = end;
  }
  return path;
}
