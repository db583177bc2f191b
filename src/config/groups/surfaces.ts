import { background, colour, links, picture } from '../brand-kinds.ts';
import { file, folder, names, oneOf, secrets, text } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const surfaces = {
  ADMIN_KEY: optional(
    secrets(16),
    'with SQLite one is made and shown once, at the first start; with `DATABASE_URL` there is none',
    {
      secret: true,
      sentence: 'The key of the admin API; name two, separated by a comma, while you replace one.',
      example: 'the output of `openssl rand -base64 32`',
    },
  ),
  SURFACES: optional(names, '`all`; in production `oauth-clients`, and for now those that the database shows in use', {
    sentence: 'Which of the API surfaces are served (docs/surfaces).',
    example: 'oauth-clients,identity',
  }),
  REQUIRE_PKCE: setting(oneOf('public', 'all'), 'public', {
    sentence:
      'From which clients PKCE is due in the browser: public and unreviewed ones, and those that have `require_pkce` (`public`), or all (`all`). A `code_challenge` that is sent is enforced in any case.',
    example: 'all',
  }),
  GATEWAY_ROUTES: optional(file, 'nothing is forwarded; in development a sample shows how it would be', {
    sentence: 'The route table of the gateway, as JSON or YAML; SIGHUP has it read again.',
    example: '/etc/gatehouse/routes.yaml',
  }),
  BRAND_NAME: setting(text(60), 'Gatehouse', {
    sentence: 'The name people read on the pages.',
    example: 'Example Accounts',
  }),
  BRAND_LOGO: optional(picture, 'a plain sign', {
    sentence: 'A picture that stands before the name on every page, and on the browser tab.',
    example: '/etc/gatehouse/logo.svg',
  }),
  BRAND_LOGO_DARK: optional(picture, '`BRAND_LOGO`', {
    sentence: 'The same for people whose system is dark.',
    example: '/etc/gatehouse/logo-dark.svg',
  }),
  BRAND_ACCENT: optional(colour, 'a calm blue', {
    sentence:
      'The colour of buttons; links and other text get its nearest shade that is readable, in light and in dark.',
    example: '#0b7a4b',
  }),
  BRAND_BACKGROUND: optional(background, 'a light gray; in dark almost black', {
    sentence: 'What is behind the pages; used as light, or in dark as dark, as the text on it needs.',
    example: '#eaf6f0 #ffffff',
  }),
  BRAND_LINKS: optional(links, 'none', {
    sentence: 'Where the links at the foot of every page lead.',
    example: 'privacy=https://example.com/privacy terms=https://example.com/terms support=mailto:help@example.com',
  }),
  VIEWS_DIR: optional(folder, 'the built-in pages', {
    sentence:
      'A folder whose templates take the place of built-in ones of the same name, and whose `texts` add languages or reword texts.',
    example: '/etc/gatehouse/views',
  }),
} as const;
