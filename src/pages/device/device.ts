/**
 * The pages of the device flow: enter the code, recognise the device, and the end. oidc/device/device-flow decides
 * which one is shown; sign-in and consent between them are those of any client.
 */
import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { programOf } from '../../core/kernel/program.ts';
import type { DevicePages, DeviceProblem } from '../../oidc/ports.ts';
import type { PageDeps } from '../kit/deps.ts';
import { clientView } from '../kit/interaction/client-view.ts';
import { type AddressPlace, placeOf } from '../kit/place.ts';
import type { ClientView } from '../kit/view-parts.ts';

type Problem = DeviceProblem['kind'];
export const deviceProblems: readonly Problem[] = [
  'missing',
  'unknown',
  'expired',
  'used',
  'stale',
  'throttled',
  'sign-in-first',
];

declare module '../kit/views.ts' {
  interface ViewLocals {
    device: {
      /** Absent in a browser without a session: then the form only looks, by GET. */
      readonly csrf?: string | undefined;
      /** As the person typed it. */
      readonly typed?: string | undefined;
      readonly problem?: { readonly kind: Problem } | undefined;
      readonly retryAfterSeconds?: number | undefined;
      /** Set if a person who signs in may go on. */
      readonly signIn?: string | undefined;
    };
    'device-confirm': {
      readonly csrf: string;
      /** As the device shows it. */
      readonly userCode: string;
      readonly client: ClientView;
      /** What the device's request told about it. */
      readonly place: {
        readonly program?: string | undefined;
        readonly system?: string | undefined;
        readonly address?: string | undefined;
        readonly where?: AddressPlace | undefined;
        readonly at: number;
      };
    };
    'device-done': { readonly denied?: boolean | undefined; readonly client?: ClientView | undefined };
  }
}

export function createDevicePages(deps: Pick<PageDeps, 'pages' | 'cached' | 'signInAt'>): DevicePages {
  // The engine's context extends the Koa context.
  const plain = (ctx: KoaContextWithOIDC) => ctx as unknown as Context;
  const clientOf = async ({ oidc: { entities } }: KoaContextWithOIDC) => {
    const id = entities.Client?.clientId ?? entities.DeviceCode?.clientId;
    return id === undefined ? undefined : clientView(await deps.cached.find(id));
  };

  return {
    enter(ctx, csrf, typed, problem) {
      const throttled = problem?.kind === 'throttled' || problem?.kind === 'sign-in-first';
      const signIn = problem?.kind === 'sign-in-first' ? deps.signInAt('/account') : undefined;
      const retryAfterSeconds = throttled ? problem.retryAfter : undefined;
      const status = problem === undefined ? 200 : throttled ? 429 : 400;
      deps.pages.show(plain(ctx), 'device', { csrf, typed, problem, retryAfterSeconds, signIn }, { status });
    },

    async confirm(ctx, csrf, userCode, { address, userAgent, at }) {
      const client = (await clientOf(ctx)) ?? { name: '?' };
      const place = { ...programOf(userAgent), address, where: placeOf(address), at };
      deps.pages.show(plain(ctx), 'device-confirm', { csrf, userCode, client, place });
    },

    async done(ctx, outcome) {
      deps.pages.show(plain(ctx), 'device-done', { denied: outcome === 'denied', client: await clientOf(ctx) });
    },
  };
}
