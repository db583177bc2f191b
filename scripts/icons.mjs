// Makes public/icons.svg, the one sprite of all pages, and its licence, from the Lucide icons. Pages name an icon by
// the left column. With --check it writes nothing and fails if a file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const lucide = join(root, 'node_modules/lucide-static');

const icons = {
  activity: 'history',
  alert: 'circle-alert',
  app: 'layout-grid',
  away: 'infinity',
  back: 'chevron-left',
  book: 'book-open',
  bot: 'bot',
  check: 'check',
  clock: 'clock',
  close: 'x',
  computer: 'monitor',
  copy: 'copy',
  done: 'circle-check',
  down: 'chevron-down',
  download: 'download',
  edit: 'pencil',
  external: 'external-link',
  eye: 'eye',
  'eye-off': 'eye-off',
  globe: 'globe',
  home: 'house',
  hourglass: 'hourglass',
  info: 'info',
  key: 'key-round',
  known: 'user-check',
  link: 'link',
  lock: 'lock',
  mail: 'mail',
  next: 'chevron-right',
  passkey: 'fingerprint-pattern',
  people: 'users',
  person: 'user',
  phone: 'smartphone',
  place: 'map-pin',
  plus: 'plus',
  print: 'printer',
  search: 'search',
  server: 'server',
  settings: 'settings',
  shield: 'shield',
  'shield-alert': 'shield-alert',
  'shield-check': 'shield-check',
  'sign-out': 'log-out',
  telephone: 'phone',
  terminal: 'terminal',
  trash: 'trash-2',
  unlink: 'unplug',
  'user-add': 'user-plus',
  warning: 'triangle-alert',
};

/** The drawing without its frame: the frame is the page's `<svg class="icon">`, and the style sheet draws it. */
function symbol([name, file]) {
  const [, drawing = ''] = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(
    readFileSync(join(lucide, 'icons', `${file}.svg`), 'utf8'),
  );
  return `<symbol id="${name}" viewBox="0 0 24 24">${drawing.replace(/\s*\n\s*/g, '').replaceAll(' />', '/>')}</symbol>`;
}

const sprite = `<!-- Lucide icons, ISC licence; some derived from Feather, MIT licence: icons-licence.txt -->
<svg xmlns="http://www.w3.org/2000/svg">
${Object.entries(icons).map(symbol).join('\n')}
</svg>
`;

const files = { 'icons.svg': sprite, 'icons-licence.txt': readFileSync(join(lucide, 'LICENSE'), 'utf8') };

for (const [name, text] of Object.entries(files)) {
  const path = join(root, 'public', name);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(`public/${name} does not match its source. Run: npm run check:fix\n`);
    process.exitCode = 1;
  }
}
