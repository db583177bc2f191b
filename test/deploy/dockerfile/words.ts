/** Words of a Dockerfile's line: quotes, backslashes and variables as the Dockerfile reference describes them. */

export type Lookup = (name: string) => string | undefined;

const variable = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\})/;

/** Throws for a variable that is written in no known way, and for a quote that does not end. */
export function wordsOf(text: string, lookup: Lookup = () => undefined): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (quote === '' && /\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (letter === quote) quote = '';
    else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter;
      word ??= '';
    } else if (letter === '\\' && quote !== "'") {
      at += 1;
      word = (word ?? '') + text.charAt(at);
    } else if (letter === '$' && quote !== "'") {
      const [whole, plain, braced, sign, other = ''] = variable.exec(text.slice(at)) ?? [];
      if (whole === undefined)
        throw new Error(`a variable that is not written as $NAME or \${NAME}: ${text.slice(at)}`);
      const value = lookup(plain ?? braced ?? '');
      word = (word ?? '') + (sign === '+' ? (value ? other : '') : value || (sign === '-' ? other : ''));
      at += whole.length - 1;
    } else word = (word ?? '') + letter;
  }
  if (quote !== '') throw new Error(`a quote that does not end: ${text}`);
  if (word !== undefined) words.push(word);
  return words;
}
