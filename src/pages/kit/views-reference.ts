/**
 * Generates docs/views.md from the `ViewLocals` of the pages. With `--check` it writes nothing and fails if the file is
 * out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const path = join(root, 'docs/views.md');

const introduction = `# Views

<!-- Generated from the pages' declarations of \`ViewLocals\` by \`npm run check:fix\`. -->

The locals of each template under \`views/\`, which receives them as \`it\`. \`VIEWS_DIR\` names a folder whose
templates replace those of the same name; [branding.md](branding.md) explains how. Values arrive as they were
registered or typed. Print every value with \`<%= %>\` and inside \`<bdi>\`. Pass names through \`clip\`, typed text
through \`typed\` and links through \`href\`.

Every template of a page also has:

- \`t(key, values)\`: a text of the catalogue.
- \`around(key, slot)\`: the parts of a text before and after one of its placeholders.
- \`page\`: settings for the layout: \`title\`, \`width\` (\`narrow\`, \`wide\`, \`full\`), \`scripts\`, \`styles\`.
- \`brand\`, \`brandLogo\`, \`brandLinks\`, \`theme\`: the brand. \`locale\`, \`dir\`: the reader's language.
- \`asset(name)\`: the URL of a file under \`public/\`. \`body\`: the page (in the layout only).
- \`clip\`, \`typed\`, \`typedLines\`, \`exact\`, \`href\`, \`initial\`: make foreign values safe to show.
- \`icon(name)\`: an icon of \`public/icons.svg\`. \`part(name, its)\`: a part of \`views/kit/parts\` with its own \`it\`.
  Print both with \`<%- %>\`: they are markup. The parts: ${partNames()}.
- \`viewer\`: the person who is signed in, on account pages. \`hueOf\`, \`scopeIcon\`: for avatars and scopes.
- \`duration\`, \`moment\`, \`ago\`, \`clock\`, \`dayName\`, \`languageName\`, \`scopeSentence\`: format a
  value in the reader's language.
- \`problemNotices\`: the notices of account pages that report a problem.

\`mail.ejs\` is the HTML of every mail. It has \`it\` alone, in the words of the reader's language.`;

function partNames(): string {
  const files = readdirSync(join(root, 'views/kit/parts')).filter((file) => file.endsWith('.ejs'));
  return files
    .map((file) => `\`${basename(file, '.ejs')}\``)
    .sort()
    .join(', ');
}

/** All folders with pages. */
const folders = ['src/pages', 'src/api/reference', 'dev/gallery'];
/** What the template of mails receives; it is no page. */
const mail = ['mail', 'MailLocals'] as const;
const mailFile = 'src/core/mail/mail-content.ts';

function viewsReference(): string {
  const sources = [...folders.flatMap(sourcesIn), readFileSync(join(root, mailFile), 'utf8')];
  const members = [...sources.flatMap(membersOf), mail].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = shapesNamed(members.map(([, code]) => code).join('\n'), new Map(sources.flatMap(shapesOf)));
  return `${[
    introduction,
    ...members.map(([name, code]) => section(`\`${name}.ejs\``, code)),
    '## Shared shapes',
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

/** The members of `ViewLocals` in a file, found by their indentation. */
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

/** The shapes that the code names, and the shapes that those name. */
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
