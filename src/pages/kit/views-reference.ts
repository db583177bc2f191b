/**
 * Writes docs/views.md from what the pages declare as `ViewLocals`. With `--check` it writes nothing and fails when the
 * file says something else.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const path = join(root, 'docs/views.md');

const introduction = `# Views

<!-- Generated from the pages' declarations of \`ViewLocals\` by \`npm run check:fix\`. -->

What each template under \`views/\` is given, as \`it\`. \`VIEWS_DIR\` names a folder whose templates take the place of those of the
same name; [branding.md](branding.md) says how. A value arrives as it was registered or typed: put it out with \`<%= %>\`, a name
through \`clip\`, what was typed through \`typed\`, a link through \`href\`, and each inside \`<bdi>\`.

Beside \`it\` every template has:

- \`t(key, values)\`: a text of the catalogue. \`around(key, slot)\`: what stands before and after one of its placeholders.
- \`page\`: what the layout is told: \`title\`, \`width\` (\`narrow\`, \`wide\`, \`full\`), \`scripts\`, \`styles\`.
- \`brand\`, \`brandLogo\`, \`brandLinks\`, \`theme\`: whose pages these are. \`locale\`, \`dir\`: the reader's language.
- \`asset(name)\`: the address of a file under \`public/\`. \`body\`: in the layout, the page.
- \`clip\`, \`typed\`, \`typedLines\`, \`exact\`, \`href\`, \`initial\`: foreign values made fit to be shown. \`duration\`, \`moment\`, \`languageName\`,
  \`scopeSentence\`: things in the reader's language.
- \`problemNotices\`: which of an account page's notices tell of a problem.`;

/** Wherever a page is. */
const folders = ['src/pages', 'src/api/reference', 'dev/gallery'];

function viewsReference(): string {
  const sources = folders.flatMap(sourcesIn);
  const members = sources.flatMap(membersOf).sort(([a], [b]) => (a < b ? -1 : 1));
  const named = shapesNamed(members.map(([, code]) => code).join('\n'), new Map(sources.flatMap(shapesOf)));
  return `${[
    introduction,
    ...members.map(([name, code]) => section(`\`${name}.ejs\``, code)),
    '## Shapes that several share',
    ...named.map(fenced),
  ].join('\n\n')}\n`;
}

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { encoding: 'utf8', recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => readFileSync(join(root, folder, file), 'utf8'));
const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``;
const section = (title: string, code: string): string => `## ${title}\n\n${fenced(code)}`;

/** The members of `ViewLocals` in a file: each begins where the formatter indents it, and ends before the next. */
function membersOf(file: string): [string, string][] {
  const [, indent = '', body = ''] = /^( *)(?:export )?interface ViewLocals \{\n([\s\S]*?)^\1\}/m.exec(file) ?? [];
  const own = body.replace(new RegExp(`^${indent}  `, 'gm'), '').replace(/^\/\*\*[^\n]*\*\/\n/gm, '');
  return own
    .split(/^(?='?[a-z])/m)
    .filter((member) => member !== '')
    .map((member) => {
      const [, view = '', code = ''] = /^'?([a-z-]+)'?: ([\s\S]*);\n$/.exec(member) ?? [];
      return [view, code];
    });
}

function shapesOf(file: string): [string, string][] {
  return [...file.matchAll(/^(?:export )?(interface (?!ViewLocals )(\w+)[\s\S]*?^\})/gm)].map(
    ([, code = '', name = '']) => [name, code],
  );
}

/** Those that the code names, and those that these name in turn. */
function shapesNamed(code: string, shapes: ReadonlyMap<string, string>): string[] {
  const found = new Map<string, string>();
  const look = (text: string): void => {
    for (const [name] of text.replace(/\/\*\*.*?\*\//g, '').matchAll(/\b[A-Z]\w+/g)) {
      const shape = shapes.get(name);
      if (shape === undefined || found.has(name)) continue;
      found.set(name, shape);
      look(shape);
    }
  };
  look(code);
  return [...found.values()].sort();
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, viewsReference());
  else if (readFileSync(path, 'utf8') !== viewsReference()) {
    process.stderr.write('docs/views.md does not match the pages. Run: npm run check:fix\n');
    process.exitCode = 1;
  }
}
