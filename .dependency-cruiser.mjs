// Who may import whom. Each rule's comment says what to do instead, and why.

/**
 * The modules of core, each with those it may import. A module may name only those above it, so that there can be no
 * cycle. `stores` are the ports of storage; `kernel` is what all of core shares.
 */
const core = {
  stores: [],
  kernel: ['stores'],
  outgoing: [],
  'client-logos': ['stores', 'kernel', 'outgoing'],
  changes: ['stores'],
  refusals: ['stores', 'kernel'],
  'device-codes': ['stores', 'kernel'],
  passwords: ['kernel'],
  keys: ['stores'],
  mail: ['stores', 'kernel'],
  sessions: ['stores', 'kernel', 'changes'],
  'known-browsers': ['stores', 'kernel', 'mail', 'sessions'],
  factors: ['stores', 'kernel', 'changes', 'mail'],
  accounts: ['stores', 'kernel', 'changes', 'passwords', 'mail', 'sessions', 'factors'],
  registration: ['stores', 'kernel', 'mail', 'sessions', 'accounts'],
  recovery: ['stores', 'kernel', 'mail', 'known-browsers', 'accounts'],
  'sign-in': ['stores', 'kernel', 'passwords', 'known-browsers', 'factors', 'accounts'],
  clients: ['stores', 'kernel', 'changes', 'sessions', 'factors'],
  'metadata-clients': ['stores', 'kernel', 'changes', 'outgoing', 'clients'],
  apis: ['stores', 'kernel', 'changes', 'clients'],
  'dynamic-clients': ['stores', 'kernel', 'changes', 'clients', 'apis'],
  consents: ['stores', 'kernel', 'clients'],
  tokens: ['stores', 'kernel', 'changes', 'keys', 'sessions', 'clients', 'apis'],
  upstream: ['stores', 'kernel', 'sessions', 'registration', 'sign-in'],
  'api-sessions': [
    ...['stores', 'kernel', 'passwords', 'keys', 'sessions', 'known-browsers', 'factors', 'accounts', 'sign-in'],
    ...['clients', 'tokens'],
  ],
  deliveries: ['stores', 'kernel', 'changes', 'keys', 'clients', 'tokens', 'outgoing'],
  upkeep: ['stores', 'keys', 'changes', 'refusals', 'deliveries', 'dynamic-clients'],
};

const above = new Set();
for (const [module, imports] of Object.entries(core)) {
  const below = imports.find((name) => !above.has(name));
  if (below !== undefined) throw new Error(`core/${module} may not import core/${below}, which stands below it`);
  above.add(module);
}

const coreRules = Object.entries(core).map(([module, imports]) => ({
  name: `core-${module}`,
  comment: `core/${module} may import ${imports.length === 0 ? 'no other module of core' : imports.join(', ')}: pass in the rest as an argument, or move what two modules share into core/kernel.`,
  severity: 'error',
  from: { path: `^src/core/${module}/` },
  to: { path: '^src/core/', pathNot: `^src/core/(${[module, ...imports].join('|')})/` },
}));

const shapes = '^src/.*([/-]shapes?|/client-metadata)\\.ts$';
const states = '^src/.*/(states|states/[^/]+|kit/state)\\.ts$';
const roots = '^src/(app\\.ts$|open-core\\.ts$|serve\\.ts$|cli/)';

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'These modules import each other in a circle: move what both need into the one that is lower, or pass it as an argument.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file and it imports nothing: delete it, or mount it where it belongs.',
      severity: 'error',
      from: { orphan: true, path: '^src/' },
      to: {},
    },
    {
      name: 'base-stands-alone',
      comment: 'base is what everything stands on: it may import packages, but nothing else of src.',
      severity: 'error',
      from: { path: '^src/base/' },
      to: { path: '^(src|db)/', pathNot: '^src/base/' },
    },
    {
      name: 'config-imports-only-base',
      comment: 'config only reads settings: it may import base; what acts on a setting gets its value from app.ts.',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^(src|db)/', pathNot: '^src/(base|config)/' },
    },
    {
      name: 'config-is-handed-out',
      comment:
        'Only main.ts, app.ts and cli read the settings: take the values you need as arguments, so that a test can give others.',
      severity: 'error',
      from: { path: '^src/', pathNot: [roots, '^src/main\\.ts$', '^src/config/', '^src/core/core\\.ts$'] },
      to: { path: '^src/config/' },
    },
    {
      name: 'core-imports-only-base',
      comment:
        'core decides and knows no adapter or surface: say what you need as a port in core and let storage, login or app.ts supply it.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '^src/core/core\\.ts$' },
      to: { path: '^(src|db)/', pathNot: '^src/(core|base)/' },
    },
    {
      name: 'core-stands-on-ports',
      comment:
        'core/core.ts puts core together over its ports: it imports core, the settings and base; open-core.ts opens the adapters.',
      severity: 'error',
      from: { path: '^src/core/core\\.ts$' },
      to: { path: '^(src|db)/', pathNot: '^src/(core|config|base)/' },
    },
    {
      name: 'core-for-entry-points',
      comment: 'A module of core or an adapter says what it needs itself: only entry points take the whole Core.',
      severity: 'error',
      from: { path: '^src/(core|storage|login|mail|outgoing|base|config|http)/' },
      to: { path: '^src/core/core\\.ts$' },
    },
    ...coreRules,
    {
      name: 'core-has-modules',
      comment:
        'Each module of core is a folder of its own with a row in `core` above: add the row, with what it may import.',
      severity: 'error',
      from: {},
      to: { path: '^src/core/', pathNot: `^src/core/(core\\.ts$|(${Object.keys(core).join('|')})/)` },
    },
    {
      name: 'adapter-imports',
      comment:
        'A storage or a login method imports itself, core and base only: two of them that need the same thing should find it in core.',
      severity: 'error',
      from: { path: '^src/(storage|login)/([^/]+)/' },
      to: { path: '^src/', pathNot: ['^src/(core|base)/', '^src/$1/$2/'] },
    },
    {
      name: 'adapter-list-imports',
      comment: 'The file that lists the storages or login methods imports its own folders, core and base only.',
      severity: 'error',
      from: { path: '^src/(storage|login)/[^/]+\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/(core|base)/', '^src/$1/'] },
    },
    {
      name: 'mail-imports',
      comment:
        'mail words and carries what core writes: it imports itself, core and base only; the texts are handed to it.',
      severity: 'error',
      from: { path: '^src/mail/' },
      to: { path: '^src/', pathNot: '^src/(mail|core|base)/' },
    },
    {
      name: 'outgoing-imports',
      comment:
        'outgoing fetches what clients name, and knows no client: it imports itself, core and base only; the caller says for whom it fetches.',
      severity: 'error',
      from: { path: '^src/outgoing/' },
      to: { path: '^src/', pathNot: '^src/(outgoing|core|base)/' },
    },
    {
      name: 'nodemailer-stays-in-mail',
      comment:
        'nodemailer is used in src/mail/smtp.ts only, and loaded with the first mail: everybody else hands core a letter.',
      severity: 'error',
      from: { path: '^(src|db)/', pathNot: '^src/mail/smtp\\.ts$' },
      to: { path: 'node_modules/nodemailer/' },
    },
    {
      name: 'http-imports',
      comment:
        'http is what all surfaces share: it may import core and base; what belongs to one surface lives in that surface.',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/', pathNot: '^src/(http|core|base)/' },
    },
    {
      name: 'page-kit-imports',
      comment:
        'pages/kit is what pages share: it imports itself, core, http and base; what belongs to one page lives in its area.',
      severity: 'error',
      from: { path: '^src/pages/kit/', pathNot: '^src/pages/kit/interaction/' },
      to: { path: '^src/', pathNot: '^src/(pages/kit|core|http|base)/' },
    },
    {
      name: 'page-imports',
      comment:
        'An area of pages imports itself, pages/kit, core, http and base: what two areas share belongs in pages/kit or in core/kernel.',
      severity: 'error',
      from: { path: '^src/pages/([^/]+)/', pathNot: '^src/pages/(kit|sign-in|consent|enrolment|device)/' },
      to: { path: '^src/', pathNot: ['^src/(pages/kit|core|http|base)/', '^src/pages/$1/'] },
    },
    {
      name: 'page-list-imports',
      comment: 'The files that list, open and show the pages import their areas, oidc, core, http and base only.',
      severity: 'error',
      from: { path: '^src/pages/[^/]+\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(pages|api/reference|oidc|core|http|base)/' },
    },
    {
      name: 'protocol-page-imports',
      comment:
        'sign-in, consent, enrolment, device and their kit are the half of the protocol that people see: they may import oidc as well, which never imports them.',
      severity: 'error',
      from: { path: '^src/pages/(sign-in|consent|enrolment|device|kit/interaction)/' },
      to: { path: '^src/', pathNot: ['^src/(pages/kit|oidc|core|http|base)/', '^src/pages/$1/'] },
    },
    {
      name: 'states-on-demand',
      comment:
        'The states of pages are samples: import src/pages/states.ts with `await import(…)` where they are looked at, so that no start waits for them.',
      severity: 'error',
      from: { path: '^src/', pathNot: states },
      to: { path: states, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'api-kit-imports',
      comment:
        'api/kit is what API surfaces share: it imports itself, core, http and base; what belongs to one surface lives there.',
      severity: 'error',
      from: { path: '^src/api/kit/' },
      to: { path: '^src/', pathNot: '^src/(api/kit|core|http|base)/' },
    },
    {
      name: 'surface-imports',
      comment:
        'A surface parses, calls core and shapes the answer: it imports itself, api/kit, core, http and base, never a sibling, a storage or a login method.',
      severity: 'error',
      from: { path: '^src/api/([^/]+)/', pathNot: '^src/api/(kit|reference)/' },
      to: { path: '^src/', pathNot: ['^src/(api/kit|core|http|base)/', '^src/api/$1/'] },
    },
    {
      name: 'reference-imports',
      comment: 'The reference is a page about the surfaces: it imports itself, the two kits, core, http and base.',
      severity: 'error',
      from: { path: '^src/api/reference/' },
      to: { path: '^src/', pathNot: '^src/(api/(kit|reference)|pages/kit|core|http|base)/' },
    },
    {
      name: 'entry-point-imports',
      comment:
        'oidc, the gateway and ops import themselves, api/kit, core, http and base: never another entry point, a storage or a login method.',
      severity: 'error',
      from: { path: '^src/(oidc|gateway|ops)/' },
      to: { path: '^src/', pathNot: ['^src/(api/kit|core|http|base)/', '^src/$1/'] },
    },
    {
      name: 'surface-list-imports',
      comment: 'The list of API surfaces imports their folders, core, http and base only.',
      severity: 'error',
      from: { path: '^src/api/[^/]+\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(api|core|http|base)/' },
    },
    {
      name: 'adapters-are-chosen-in-app',
      comment:
        'Only app.ts and cli choose a storage, a login method or how mails and requests leave: everyone else uses the ports in core that app.ts hands out.',
      severity: 'error',
      from: { path: '^src/', pathNot: [roots, '^src/(storage|login|mail|outgoing)/'] },
      to: { path: '^src/(storage|login|mail|outgoing)/' },
    },
    {
      name: 'main-only-starts',
      comment:
        'main.ts turns the compile cache on and hands over to serve.ts: anything else belongs there or in app.ts.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/serve\\.ts$' },
    },
    {
      name: 'nobody-imports-the-top',
      comment:
        'open-core.ts, app.ts and serve.ts are imported by each other, main.ts and cli alone, main.ts and cli by no file: pass in what you need instead.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(main|serve|app|open-core)\\.ts$', '^src/cli/'] },
      to: { path: '^src/(open-core\\.ts$|app\\.ts$|serve\\.ts$|main\\.ts$|cli/)' },
    },
    {
      name: 'sql-stays-in-storage',
      comment:
        'knex, pg and node:sqlite are used in src/storage/sql (and the migrations) only: add a method to a port in core/stores instead.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/sql/' },
      to: { path: '^(node:sqlite|sqlite)$|node_modules/(knex|pg|@types/pg)/' },
    },
    {
      name: 'redis-stays-in-storage',
      comment:
        'ioredis is used in src/storage/redis only: the rest of the server must not notice whether there is a Redis.',
      severity: 'error',
      from: { path: '^(src|db)/', pathNot: '^src/storage/redis/' },
      to: { path: 'node_modules/ioredis/' },
    },
    {
      name: 'zod-in-shapes',
      comment:
        'the schemas cost a start 40 ms and 10 MB (docs/performance.md): schemas live in a shapes.ts, a ...-shape.ts or core/clients/metadata/client-metadata.ts; elsewhere import its types only.',
      severity: 'error',
      from: { path: '^src/', pathNot: shapes },
      to: { path: 'node_modules/zod/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'shapes-on-demand',
      comment:
        'This file loads zod: import it when it is first needed, with `await import(…)`, so that no start waits for it.',
      severity: 'error',
      from: { path: '^src/', pathNot: shapes },
      to: { path: shapes, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'one-route-table',
      comment:
        'koa-router is used in src/http/routes.ts only: an entry point returns its routes as data, and app.ts puts them into the one table.',
      severity: 'error',
      from: { path: '^(src|db|dev)/', pathNot: '^src/http/routes\\.ts$' },
      to: { path: 'node_modules/(@types/)?koa-router/' },
    },
    {
      name: 'engine-stays-in-oidc',
      comment:
        'oidc-provider is used in src/oidc and the pages of the protocol only: other folders go through core, so that the engine can be replaced.',
      severity: 'error',
      from: { path: '^(src|db)/', pathNot: '^src/(oidc|pages/(kit/interaction|sign-in|consent|enrolment|device))/' },
      to: { path: 'node_modules/(@types/)?oidc-provider/' },
    },
    {
      name: 'no-engine-internals',
      comment: "Import 'oidc-provider' by its name only: its lib/ files change without notice in any release.",
      severity: 'error',
      from: {},
      to: { path: 'node_modules/oidc-provider/lib/', pathNot: 'node_modules/oidc-provider/lib/index\\.js$' },
    },
    {
      name: 'product-without-gallery',
      comment:
        'dev is for developers and not part of the product: only the development pages may import it, when they are shown.',
      severity: 'error',
      from: { path: '^(src|db)/' },
      to: { path: '^dev/', dynamic: false },
    },
    {
      name: 'product-without-tests',
      comment: 'src and db ship; test, bench and scripts do not: move what the product needs into src.',
      severity: 'error',
      from: { path: '^(src|db)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-dev-packages',
      comment: "A production image has no devDependencies: move the package to dependencies, or don't use it here.",
      severity: 'error',
      from: { path: '^(src|db)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'named-in-package-json',
      comment: 'This package is not in package.json: it is here only because another package happens to use it.',
      severity: 'error',
      from: { path: '^(src|db|dev|test|bench)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'resolvable',
      comment: 'There is no such file: relative imports carry their .ts extension.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-drawers',
      comment: 'A drawer named utils, helpers or common collects everything: name the file for the noun it is about.',
      severity: 'error',
      from: {},
      to: { path: ['^src/.*/(utils?|helpers?|common|misc|shared)/', '/(utils?|helpers?|common|misc|shared)\\.ts$'] },
    },
  ],
};
