/** What a start says, once and readably, in the terminal of whoever started it. */
import type { Setup } from '../core/setup.ts';

export interface BannerFacts {
  readonly core: {
    readonly config: {
      readonly issuer: string;
      readonly development: boolean;
      readonly dataDir: string;
      readonly database: { readonly kind: 'sqlite' | 'postgres' };
    };
    readonly secrets: { readonly newAdminKey: string | undefined; readonly adminKeyDigests: readonly string[] };
    readonly setup: Setup;
  };
}

export async function banner({ core }: BannerFacts, write: (text: string) => void): Promise<void> {
  const { config, secrets } = core;
  const link = await core.setup.createSetupLink();
  const rows: (readonly [string, string] | undefined)[] = [
    ['Address', config.issuer],
    config.development ? ['Playground', `${config.issuer}/playground`] : undefined,
    link && ['First admin', `${config.issuer}/setup?token=${link.token}`],
    adminKeyRow(secrets),
    ['Data', config.database.kind === 'sqlite' ? config.dataDir : 'PostgreSQL (DATABASE_URL)'],
    config.development
      ? ['Production', 'set NODE_ENV=production and ISSUER=https://your.domain; see docs/production.md']
      : undefined,
  ];
  const lines = rows.filter((row) => row !== undefined).map(([name, value]) => `  ${name.padEnd(12)} ${value}`);
  write(`\nGatehouse is ready.\n\n${lines.join('\n')}\n\n`);
}

function adminKeyRow(secrets: BannerFacts['core']['secrets']): readonly [string, string] | undefined {
  if (secrets.newAdminKey !== undefined) return ['Admin key', `${secrets.newAdminKey}  (shown this once)`];
  return secrets.adminKeyDigests.length > 0
    ? undefined
    : ['Admin key', 'none: set ADMIN_KEY to open the endpoints that need one'];
}
