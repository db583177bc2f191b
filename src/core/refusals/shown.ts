/** Received values as records keep them: cut, on one line, and secrets only as a description of their form. */
import { withoutSecrets } from '../../base/redact.ts';

const valueMax = 300;

/** Text that is not a secret: an address, a scope, a name. Removes secrets that it contains by mistake. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === undefined) return 'nothing';
  const plain = withoutSecrets(text.slice(0, 4 * valueMax).toWellFormed())
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\uFFFD')
    .trim();
  return plain.length > valueMax ? `${plain.slice(0, valueMax)}…` : plain;
}

/** Describes a secret, code, token or verifier by its length and characters, without its value. */
export function shapeOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing';
  if (typeof value !== 'string') return `a ${Array.isArray(value) ? 'list' : typeof value}`;
  const letters = alphabets.find(([pattern]) => pattern.test(value))?.[1] ?? 'other characters';
  return `${value.length} ${value.length === 1 ? 'character' : 'characters'}, ${letters}`;
}

const alphabets: readonly (readonly [RegExp, string])[] = [
  [/^\d+$/, 'digits'],
  [/^[0-9a-f]+$/i, 'hexadecimal'],
  [/^[\w-]+\.[\w-]+\.[\w-]*$/, 'a JWT'],
  [/^[\w-]+$/, 'base64url'],
  [/^[\w+/-]+=*$/, 'base64'],
  [/^[\x21-\x7e]+$/, 'printable ASCII'],
  [/^\s|\s$/, 'white space at an end'],
  [/\s/, 'white space inside'],
];
