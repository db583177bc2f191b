/** Each part of the design system in each of its states. The gallery and the browser tests show them as pages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unbroken, type ViewState } from '../../kit/state.ts';

declare module '../../kit/views.ts' {
  interface ViewLocals {
    components: {
      readonly group: (typeof groups)[number];
      readonly words: Readonly<Record<keyof typeof words, string>>;
      readonly names: readonly string[];
      readonly unbroken: string;
    };
  }
}

const groups = [
  'type',
  'buttons',
  'fields',
  'notices',
  'avatars',
  'icons',
  'lists',
  'tables',
  'tabs',
  'menu',
  'dialog',
  'empty',
  'scopes',
] as const;

/** Samples for developers, not texts of the product. */
const words = {
  about: 'One part of the design system in all of its states.',
  title: 'Reading room',
  text: 'The library lends books for three weeks.',
  long: 'The library lends books for three weeks, and longer if no other reader waits for the same book.',
  link: 'See the shelf',
  code: '/shelf/7',
  button: 'Lend',
  busy: 'Lending …',
  disabled: 'Not today',
  cancel: 'Cancel',
  remove: 'Remove',
  label: 'Title of the book',
  value: 'Persuasion',
  wrong: 'No book has this title.',
};

const names = ['Ada', 'Bashir', 'Chloé', 'Dmitri', 'Ebele', 'فاطمة', 'Grace', '和子'];

const sprite = readFileSync(join(import.meta.dirname, '../../../../public/icons.svg'), 'utf8');
const icons = [...sprite.matchAll(/<symbol id="([a-z-]+)"/g)].map(([, name = '']) => name);

export const componentsStates: readonly ViewState[] = groups.map((group) => ({
  name: `components-${group}`,
  view: 'components',
  locals: { group, words, unbroken, names: group === 'icons' ? icons : names },
}));
