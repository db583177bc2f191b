/** What pages receive: core, and what all pages share. */
import type { Context } from 'koa';
import type { Clients } from '../../core/clients/clients.ts';
import type { Core } from '../../core/core.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { Upstream } from '../../core/upstream/upstream.ts';
import type { IsDeveloper } from '../../http/developer.ts';
import type { ProviderLogos } from './brand/provider-logos.ts';
import type { Csrf } from './csrf.ts';
import type { LetIn } from './let-in.ts';
import type { Pages } from './page.ts';
import type { StaticFiles } from './static.ts';

export interface PageDeps extends Core {
  readonly issuer: string;
  /** The issuer uses HTTPS, so cookies are `Secure`. */
  readonly secure: boolean;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly statics: StaticFiles;
  /** Language tags of the catalogues. */
  readonly locales: readonly string[];
  readonly isDeveloper: IsDeveloper;
  readonly clients: Clients;
  readonly upstream: Upstream;
  readonly providerLogos: ProviderLogos;
  /** The account that is signed in in this browser. */
  readonly signedIn: (ctx: Context) => Promise<Account | undefined>;
  /** The address of a sign-in that returns to this page. */
  readonly signInAt: (page: string) => string;
  /** Continues after a person has set a password. */
  readonly letIn: LetIn;
}
