import { background, colour, links, picture } from '../brand-kinds.ts';
import { file, folder, names, oneOf, origins, secrets, text } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const surfaces = {
  ADMIN_KEY: optional(
    secrets(16),
    'with SQLite the first start makes one and shows it once; with `DATABASE_URL` there is none',
    {
      secret: true,
      sentence: 'The key of the admin API. While you replace it, give both, separated by a comma.',
      example: 'the output of `openssl rand -base64 32`',
    },
  ),
  SURFACES: optional(
    names,
    '`all`; in production `oauth-clients`, and for now those that the database shows to be in use',
    {
      sentence: 'The API surfaces that are served (docs/surfaces).',
      example: 'oauth-clients,identity',
    },
  ),
  REQUIRE_PKCE: setting(oneOf('public', 'all'), 'public', {
    sentence:
      'Which clients must use PKCE: public and unreviewed ones, and those with `require_pkce` (`public`), or all (`all`). A `code_challenge` that was sent is always enforced.',
    example: 'all',
  }),
  DPOP_NONCE: setting(oneOf('offered', 'required'), 'offered', {
    sentence:
      'Whether a DPoP proof must have a nonce of this server (`required`), or may have one (`offered`). A wrong nonce is always refused.',
    example: 'required',
  }),
  GATEWAY_ROUTES: optional(file, 'nothing is forwarded; in development a sample shows how it works', {
    sentence: 'The route table of the gateway, as JSON or YAML. SIGHUP reloads it.',
    example: '/etc/gatehouse/routes.yaml',
  }),
  GATEWAY_ORIGINS: optional(origins, 'the issuer alone', {
    sentence:
      'The origins at which APIs are reached through a proxy that asks `/gateway/verify`. A DPoP proof must name one of them, or the issuer.',
    example: 'https://api.example.com,https://api.example.org',
  }),
  BRAND_NAME: setting(text(60), 'Gatehouse', {
    sentence: 'The name of this service on the pages.',
    example: 'Example Accounts',
  }),
  BRAND_LOGO: optional(picture, 'a plain symbol', {
    sentence: 'The picture before the name on every page, and on the browser tab. A PNG is also in mails.',
    example: '/etc/gatehouse/logo.svg',
  }),
  BRAND_LOGO_DARK: optional(picture, '`BRAND_LOGO`', {
    sentence: 'The same for dark mode.',
    example: '/etc/gatehouse/logo-dark.svg',
  }),
  BRAND_ACCENT: optional(colour, 'a calm blue', {
    sentence: 'The colour of buttons. Links and other text get its nearest readable shade, in light and in dark mode.',
    example: '#0b7a4b',
  }),
  BRAND_BACKGROUND: optional(background, 'a light gray; in dark mode almost black', {
    sentence: 'The background of the pages, made as light as the text on it needs, or as dark in dark mode.',
    example: '#eaf6f0 #ffffff',
  }),
  BRAND_LINKS: optional(links, 'none', {
    sentence: 'The links at the foot of every page and mail.',
    example: 'privacy=https://example.com/privacy terms=https://example.com/terms support=mailto:help@example.com',
  }),
  VIEWS_DIR: optional(folder, 'the built-in pages', {
    sentence:
      'A folder whose templates replace built-in ones of the same name, and whose `texts` add languages or replace texts.',
    example: '/etc/gatehouse/views',
  }),
} as const;
