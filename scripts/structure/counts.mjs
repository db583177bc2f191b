// Counts in the text of src, each by a rule of one sentence.
import { filesOf, nodesOf, places, textOf, treeOf } from './sources.mjs';

/** Files that name e-mail codes in any spelling, in path or text, outside the folder of the login method. */
export function emailCodeFiles() {
  const named = /e-?mail[-_ ]?codes?/i;
  return filesOf('src')
    .filter((file) => !file.startsWith('src/login/email-code/'))
    .filter((file) => named.test(file) || named.test(textOf(file)));
}

/**
 * The places to edit for a column of accounts, for the example `phone_verified`: lines that name it in storage, its
 * ports and its migration; in core, only in lists and defaults of all members.
 */
export function columnPlaces() {
  const named = /\b(phone_verified|phoneVerified)\b/;
  const listed = /^\s*'phoneVerified',?$|picture: null\b.*phoneVerified: false/;
  return filesOf('src/storage', 'src/core', 'db/migrations').flatMap((file) => {
    // Ignores `down` of the migration, which always names the column once more.
    const text = file.startsWith('db/') ? textOf(file).split(/^export async function down/m)[0] : textOf(file);
    const rule = /^src\/core\/(?!stores\/)/.test(file) ? listed : named;
    return text.split('\n').flatMap((line, index) => (rule.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : []));
  });
}

/** Types with an address of type string and a request id, except stored records (core/stores) and data of pages. */
export function callerTypes() {
  const files = filesOf('src').filter((file) => !/^src\/(core\/stores|pages)\//.test(file));
  return files.flatMap((file) => {
    const { lineOf } = places(textOf(file));
    return [...nodesOf(treeOf(file))].flatMap(([node, around]) => {
      const members = node.type === 'TsInterfaceBody' ? node.body : node.type === 'TsTypeLiteral' ? node.members : [];
      const kinds = new Map(members.map((member) => [member.key?.value, typeNames(member)]));
      const isCaller =
        kinds.get('address')?.includes('string') && (kinds.has('requestId') || kinds.get('id')?.includes('string'));
      const name =
        around.findLast(({ type }) => /^Ts(Interface|TypeAlias)Declaration$/.test(type))?.id.value ??
        'a type without a name';
      return isCaller ? [`${file}:${lineOf(node.span)} ${name}`] : [];
    });
  });
}

const typeNames = (member) => [...nodesOf(member.typeAnnotation ?? [])].map(([{ kind }]) => kind);

/** Lines of the files that assemble the server, and of the fixture that assembles core for tests. */
export function wiringLines() {
  const files = [
    ...filesOf('src').filter((file) => /^src\/(app|open-core|serve|core\/core)\.ts$/.test(file)),
    ...filesOf('test/core').filter((file) => /^test\/core\/fixture\.ts$/.test(file)),
  ];
  return files.map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }));
}

/**
 * Functions of core and pages that ran in a request and await or return a call of one of their arguments, so control
 * returns to the calling file. Ignores Koa's `next` and the mail queue.
 */
export function continuations(called) {
  return [...called].flatMap(([file, starts]) => {
    if (!/^src\/(core\/(?!mail\/)|pages\/)/.test(file)) return [];
    const { characterOf, lineOf } = places(textOf(file));
    const functions = [...nodesOf(treeOf(file))].map(([node]) => node).filter(isFunction);
    // The inspector's offset may point at any token of the start, so the nearest function counts.
    const begins = functions.map(({ span }) => characterOf(span));
    const nearest = (start) => {
      const distances = begins.map((begin) => Math.abs(begin - start));
      return functions[distances.indexOf(Math.min(...distances))];
    };
    return [...new Set([...starts].map(nearest))].flatMap((node) => {
      const handed = handedOn(node);
      return handed === undefined ? [] : [`${file}:${lineOf(node.span)} calls ${handed}`];
    });
  });
}

/** The name of the argument that a function calls and whose result it awaits or returns. */
function handedOn(node) {
  const own = new Set(node.params.map(parameterName));
  if (own.has('ctx')) own.delete('next');
  for (const [{ type, callee }, around] of nodesOf(node.body)) {
    if (type !== 'CallExpression' || callee.type !== 'Identifier' || !own.has(callee.value)) continue;
    const parent = around.at(-1)?.type ?? node.type;
    if (/^(Await|Return|ArrowFunction)/.test(parent)) return callee.value;
  }
  return undefined;
}

const isFunction = ({ type }) => functionTypes.has(type);
const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'MethodProperty',
  'ClassMethod',
]);
const parameterName = (param) => (param.pat ?? param).value;
