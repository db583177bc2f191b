// Makes public/icons.svg, the one sprite of all pages, and its licence, from the Lucide icons. Pages name an icon by
// the left column. With --check it writes nothing and fails if a file is out of date.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepPublic, spriteOf } from './keep-public.mjs';

const lucide = join(import.meta.dirname, '../node_modules/lucide-static');

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

const notice = 'Lucide icons, ISC licence; some derived from Feather, MIT licence: icons-licence.txt';

keepPublic({
  'icons.svg': spriteOf(notice, Object.entries(icons).map(symbol)),
  'icons-licence.txt': readFileSync(join(lucide, 'LICENSE'), 'utf8'),
});
