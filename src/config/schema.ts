/**
 * Every setting, in the groups of docs/settings.md: kind, default, description and example. load.ts reads the
 * environment with this table; reference.ts writes docs/settings.md from it. Rules between settings are in rules.ts.
 */
import { data } from './groups/data.ts';
import { keys } from './groups/keys.ts';
import { lifetimes } from './groups/lifetimes.ts';
import { mail } from './groups/mail.ts';
import { operation } from './groups/operation.ts';
import { outgoing } from './groups/outgoing.ts';
import { people } from './groups/people.ts';
import { protocol } from './groups/protocol.ts';
import { server } from './groups/server.ts';
import { surfaces } from './groups/surfaces.ts';
import { throttle } from './groups/throttle.ts';
import type { Setting } from './setting.ts';

/** In the order of the page. */
export const groups: readonly {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
}[] = [
  { title: 'Server', settings: server },
  { title: 'Data', settings: data },
  { title: 'APIs and pages', settings: surfaces },
  { title: 'Accounts and passwords', settings: people },
  { title: 'Mail', settings: mail },
  { title: 'Outgoing requests', settings: outgoing },
  { title: 'Throttle', settings: throttle },
  { title: 'Lifetimes', settings: lifetimes },
  { title: 'Protocol', settings: protocol },
  { title: 'Signing keys', settings: keys },
  { title: 'Operation', settings: operation },
];

export const settings = {
  ...server,
  ...data,
  ...surfaces,
  ...people,
  ...mail,
  ...outgoing,
  ...throttle,
  ...lifetimes,
  ...protocol,
  ...keys,
  ...operation,
} as const;

export type SettingName = keyof typeof settings;

/** The values of the table, before the rules between settings. */
export type Values = { readonly [K in SettingName]: (typeof settings)[K] extends Setting<infer V> ? V : never };

export const table = Object.entries(settings) as readonly [SettingName, Setting<unknown>][];
