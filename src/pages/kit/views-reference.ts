/** Writes docs/views.md from the contracts of the views. With `--check` it writes nothing and fails when the file says something else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const path = join(here, '../../../docs/views.md');

const introduction = `# Views

<!-- Generated from src/pages/kit/views.ts and the files it names by \`npm run check:fix\`. -->

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

export function viewsReference(): string {
  const sources = areas.map(source);
  const members = sources.flatMap(membersOf);
  const shapes = sources.flatMap(interfacesOf);
  return `${[
    introduction,
    ...members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, code]) => section(`\`${name}.ejs\``, code)),
    '## Shapes that several share',
    ...shapes.map((code) => fenced(code)),
  ].join('\n\n')}\n`;
}

/** One file for each area of the pages; its contract is the interface whose name ends so. */
const areas = ['sign-in', 'people', 'developer', 'account'];
const source = (area: string): string => readFileSync(join(here, `${area}-views.ts`), 'utf8');
const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``;
const section = (title: string, code: string): string => `## ${title}\n\n${fenced(code)}`;

/** The members of an interface: each begins where the formatter indents it by two, and ends before the next. */
function membersOf(file: string): [string, string][] {
  const [, body = ''] = /^export interface \w+Views \{\n([\s\S]*?)^\}/m.exec(file) ?? [];
  return body.split(/^(?= {2}'?[a-z])/m).map((member) => {
    const [, view = '', rest = ''] = /^ {2}'?([a-z-]+)'?: ([\s\S]*)$/.exec(member) ?? [];
    // What is said above a member stands at the end of the one before it.
    const own = rest.trimEnd().replace(/\n {2}\/\*\*[^\n]*\*\/$/, '');
    return [view, own.replace(/;$/, '').replace(/^ {2}/gm, '')];
  });
}

/** What the members name. */
function interfacesOf(file: string): string[] {
  return [...file.matchAll(/^(?:export )?interface (?!\w+Views )[\s\S]*?^\}/gm)].map(([code]) =>
    code.replace(/^export /, ''),
  );
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, viewsReference());
  else if (readFileSync(path, 'utf8') !== viewsReference()) {
    process.stderr.write('docs/views.md does not match src/pages/kit/views.ts. Run: npm run check:fix\n');
    process.exitCode = 1;
  }
}
