/** Finds the nearest value that would have passed, and the difference. */

/** The most edits for two words to count as a typing mistake: a third of the longer one, at least one. */
function slips(length: number): number {
  return Math.max(1, Math.floor(length / 3));
}

/** Returns the candidate with the fewest edits, or undefined if none is near. Reads at most 200 candidates. */
export function nearestWord(received: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > 200) break;
    if (candidate === received) return candidate;
    const most = slips(Math.max(received.length, candidate.length));
    if (Math.abs(received.length - candidate.length) > most) continue;
    const distance = editDistance(received.toLowerCase(), candidate.toLowerCase());
    if (distance <= most && distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/**
 * Optimal string alignment: counts letters added, removed, changed or swapped with their neighbour. Up to 300 letters.
 */
export function editDistance(a: string, b: string): number {
  if (a.length > 300 || b.length > 300) return Math.max(a.length, b.length);
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

interface NearestUri {
  readonly uri: string;
  /** How to make the received value pass. */
  readonly advice: string;
}

/** The registered redirect URI that the request most likely meant. Compares the parts (RFC 3986, section 3). */
export function nearestUri(received: string, registered: readonly string[]): NearestUri | undefined {
  const ranked = registered
    .slice(0, 200)
    .map((uri) => ({ uri, ...difference(received, uri) }))
    .sort((a, b) => a.rank - b.rank);
  const [best] = ranked;
  return best && { uri: best.uri, advice: best.advice };
}

const exactly = 'Send exactly a registered address, character by character, or register this one too.';

function difference(received: string, registered: string): { rank: number; advice: string } {
  if (received === `${registered}/`)
    return { rank: 1, advice: 'Remove the trailing slash, or register this address too.' };
  if (`${received}/` === registered)
    return { rank: 1, advice: 'Add the trailing slash, or register this address too.' };
  const [a, b] = [URL.parse(received), URL.parse(registered)];
  if (!a || !b) return { rank: 100 + editDistance(received, registered), advice: exactly };
  if (a.href === b.href) {
    return { rank: 2, advice: 'Only the encoding or the case differs: send the address as it is registered.' };
  }
  const differs: string[] = [];
  if (a.protocol !== b.protocol) differs.push('scheme');
  if (a.hostname !== b.hostname) differs.push('host');
  if (a.port !== b.port) differs.push('port');
  if (a.pathname !== b.pathname) {
    differs.push(a.pathname.toLowerCase() === b.pathname.toLowerCase() ? 'case of the path' : 'path');
  }
  if (a.search !== b.search) differs.push('query');
  if (a.hash !== b.hash) differs.push('fragment');
  const weight = { host: 20, path: 10 } as Readonly<Record<string, number>>;
  const rank = differs.reduce((sum, part) => sum + (weight[part] ?? 3), 2) + editDistance(received, registered) / 100;
  const what = differs.length === 0 ? 'spelling' : differs.join(' and the ');
  return {
    rank,
    advice: `The ${what} ${differs.length > 1 ? 'differ' : 'differs'}: send the registered address, or register this one too.`,
  };
}
