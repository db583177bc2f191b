// Makes public/providers.svg, the marks of sign-in providers (src/login/upstream/marks.ts says which). With --check it
// writes nothing and fails if a file is out of date. Decision 036 says where the marks come from.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contrast } from '../src/pages/kit/brand/colour.ts';
import { cardColours } from '../src/pages/kit/brand/theme.ts';
import { keepPublic, spriteOf } from './keep-public.mjs';

const root = join(import.meta.dirname, '..');
const readJson = (file) => JSON.parse(readFileSync(join(root, 'node_modules', file), 'utf8'));

/** Marks with several colours, by their names in SVG Logos. */
const coloured = {
  facebook: 'facebook',
  gitlab: 'gitlab-icon',
  google: 'google-icon',
  linkedin: 'linkedin-icon',
  microsoft: 'microsoft-icon',
  slack: 'slack-icon',
};
/** Marks with one colour, by their names in Simple Icons. */
const plain = [
  'apple',
  'auth0',
  'authentik',
  'bitbucket',
  'discord',
  'gitea',
  'github',
  'keycloak',
  'okta',
  'orcid',
  'spotify',
  'twitch',
  'x',
];

const logos = readJson('@iconify-json/logos/icons.json');
const known = new Map(readJson('simple-icons/data/simple-icons.json').map((icon) => [slugOf(icon), icon]));

function slugOf({ slug, title }) {
  return slug ?? title.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function colouredSymbol([name, theirs]) {
  const { body, width = logos.width ?? 256, height = logos.height ?? 256 } = logos.icons[theirs];
  return `<symbol id="${name}" viewBox="0 0 ${width} ${height}">${body}</symbol>`;
}

/** In the brand's colour if it is readable on a card in light and in dark, otherwise in the colour of the text. */
function plainSymbol(name) {
  const file = readFileSync(join(root, 'node_modules/simple-icons/icons', `${name}.svg`), 'utf8');
  const [, drawing] = /(<path[^>]*>)<\/svg>/.exec(file);
  const colour = `#${known.get(name).hex.toLowerCase()}`;
  const readable = cardColours.every((card) => contrast(colour, card) >= 3);
  return `<symbol id="${name}" viewBox="0 0 24 24"${readable ? ` fill="${colour}"` : ''}>${drawing}</symbol>`;
}

const symbols = [...Object.entries(coloured).map(colouredSymbol), ...plain.map(plainSymbol)].sort();
const notice = `Marks of sign-in providers, for the buttons that lead to them.
The drawings come from SVG Logos (github.com/gilbarbara/logos) and Simple Icons (simpleicons.org), both CC0 1.0.
Each mark is a trademark of its owner.
`;

keepPublic({
  'providers.svg': spriteOf(notice.trim().replaceAll('\n', ' '), symbols),
  'providers-licence.txt': notice,
});
