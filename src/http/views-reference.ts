/** Writes docs/views.md from views.ts and account-views.ts. With `--check` it writes nothing and fails when the file says something else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const path = join(here, '../../docs/views.md');

const introduction = `# Views

<!-- Generated from src/http/views.ts and src/http/account-views.ts by \`npm run check:fix\`. -->

What each template under \`views/\` is given, as \`it\`. \`VIEWS_DIR\` names a folder whose templates take the place of those of the
same name; [branding.md](branding.md) says how. A value arrives as it was registered or typed: put it out with \`<%= %>\`, a name
through \`clip\`, what was typed through \`typed\`, a link through \`href\`, and each inside \`<bdi>\`.

Beside \`it\` every template has:

- \`t(key, values)\`: a text of the catalogue. \`around(key, slot)\`: what stands before and after one of its placeholders.
- \`page\`: what the layout is told: \`title\`, \`width\` (\`narrow\`, \`wide\`, \`full\`), \`scripts\`, \`styles\`.
- \`brand\`, \`brandLogo\`, \`brandLinks\`, \`theme\`: whose pages these are. \`locale\`, \`dir\`: the reader's language.
- \`asset(name)\`: the address of a file under \`public/\`. \`body\`: in the layout, the page.
- \`clip\`, \`typed\`, \`exact\`, \`href\`, \`initial\`: foreign values made fit to be shown. \`duration\`, \`moment\`, \`languageName\`,
  \`scopeSentence\`: things in the reader's language.`;

export function viewsReference(): string {
  const views = source('views.ts');
  const account = source('account-views.ts');
  const members = [...membersOf(views, 'ViewLocals'), ...membersOf(account, 'AccountViews')];
  const shapes = [views, account].flatMap(interfacesOf);
  return `${[
    introduction,
    ...members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, code]) => section(`\`${name}.ejs\``, code)),
    '## Shapes that several share',
    ...shapes.map((code) => fenced(code)),
  ].join('\n\n')}\n`;
}

const source = (file: string): string => readFileSync(join(here, file), 'utf8');
const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``;
const section = (title: string, code: string): string => `## ${title}\n\n${fenced(code)}`;

/** The members of an interface: each begins where the formatter indents it by two, and ends before the next. */
function membersOf(file: string, name: string): [string, string][] {
  const [, body = ''] = new RegExp(`^export interface ${name}\\b.*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(file) ?? [];
  return body.split(/^(?= {2}'?[a-z])/m).map((member) => {
    const [, view = '', rest = ''] = /^ {2}'?([a-z-]+)'?: ([\s\S]*)$/.exec(member) ?? [];
    return [view, rest.trimEnd().replace(/;$/, '').replace(/^ {2}/gm, '')];
  });
}

/** What the members name. */
function interfacesOf(file: string): string[] {
  return [...file.matchAll(/^(?:export )?interface (?!ViewLocals|AccountViews)[\s\S]*?^\}/gm)].map(([code]) =>
    code.replace(/^export /, ''),
  );
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, viewsReference());
  else if (readFileSync(path, 'utf8') !== viewsReference()) {
    process.stderr.write('docs/views.md does not match src/http/views.ts. Run: npm run check:fix\n');
    process.exitCode = 1;
  }
}
