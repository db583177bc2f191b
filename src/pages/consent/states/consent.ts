import { account, action, bookshelf, csrf, longName, unbroken, unknownShop, type ViewState } from '../../kit/state.ts';

const scopes = [{ name: 'openid' }, { name: 'profile' }, { name: 'email' }, { name: 'offline_access' }];

/** Three APIs of ten scopes each, every third one optional. */
const many = ['Calendar', 'Contacts', 'Documents'].map((name) => ({
  name,
  scopes: Array.from({ length: 10 }, (_, n) => {
    const scope = `${name.toLowerCase()}.${n}`;
    const field = n % 3 === 2 ? `optional ${scope}` : undefined;
    return { name: scope, sentence: `Do what number ${n + 1} of ${name} allows`, field };
  }),
}));
const withoutBox = <S extends object>(scope: S) => ({ ...scope, field: undefined });

export const consentStates: readonly ViewState[] = [
  { name: 'consent', view: 'consent', locals: { action, csrf, client: bookshelf, account, scopes } },
  {
    name: 'consent-unproven',
    view: 'consent',
    locals: {
      action,
      csrf,
      eachTime: 'unproven',
      client: { ...bookshelf, redirectHost: '127.0.0.1:8080' },
      account,
      scopes,
    },
  },
  {
    name: 'consent-each-time',
    view: 'consent',
    locals: { action, csrf, eachTime: 'policy', client: bookshelf, account, scopes },
  },
  {
    name: 'consent-device',
    view: 'consent',
    locals: { action, csrf, eachTime: 'device', device: true, client: bookshelf, account, scopes },
  },
  {
    name: 'consent-full',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: {
        ...bookshelf,
        name: longName,
        logo: '/public/favicon.svg',
        policyUri: 'https://bookshelf.example/privacy',
        tosUri: 'https://bookshelf.example/terms',
        contacts: ['help@bookshelf.example'],
        redirectHost: 'app.bookshelf.example',
      },
      account: { username: 'ada' },
      scopes,
      apis: [
        {
          name: 'Calendar',
          scopes: [
            { name: 'calendar.read', sentence: 'See when you are busy' },
            { name: 'calendar.odd' },
            { name: 'calendar.write', sentence: 'Add appointments', field: 'optional calendar.write' },
          ],
        },
      ],
    },
  },
  {
    name: 'consent-step-up',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: bookshelf,
      account,
      scopes: [],
      apis: [
        {
          name: 'Calendar',
          scopes: [{ name: 'calendar.write', sentence: 'Add appointments', field: 'optional calendar.write' }],
        },
      ],
      known: { told: '[]', scopes: [...scopes, { name: 'calendar.read', sentence: 'See when you are busy' }] },
    },
  },
  {
    name: 'consent-step-up-many',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: bookshelf,
      account,
      scopes: [{ name: 'phone' }],
      known: { told: '[]', scopes: [...scopes, ...many.flatMap((api) => api.scopes.map(withoutBox))] },
    },
  },
  {
    name: 'consent-many',
    view: 'consent',
    locals: { action, csrf, client: bookshelf, account: { username: 'ada', name: 'Ada' }, scopes, apis: many },
  },
  {
    name: 'consent-right-to-left',
    view: 'consent',
    locals: {
      action,
      csrf,
      client: { name: 'مكتبة الكتب', host: 'مكتبة.example' },
      account: { name: 'ليلى', username: 'layla' },
      scopes,
    },
  },
  {
    name: 'consent-owned',
    view: 'consent',
    locals: {
      action,
      csrf,
      account,
      scopes,
      client: { ...unknownShop, redirectHost: 'drive.example', owner: 'mallory' },
    },
  },
  {
    name: 'consent-reviewed',
    view: 'consent',
    locals: {
      action,
      csrf,
      account,
      scopes,
      client: { ...bookshelf, redirectHost: 'bookshelf.example', owner: 'grace' },
    },
  },
  {
    name: 'consent-document',
    view: 'consent',
    locals: {
      action,
      csrf,
      account,
      scopes,
      eachTime: 'unproven',
      client: { ...unknownShop, documentHost: 'agent.example', redirectHost: 'localhost:53682', onLoopback: true },
    },
  },
  {
    name: 'consent-document-changed',
    view: 'consent',
    locals: {
      action,
      csrf,
      account,
      scopes,
      snapshot: csrf,
      eachTime: 'changed',
      client: { ...unknownShop, documentHost: 'agent.example', redirectHost: 'agent.example' },
    },
  },
  {
    name: 'consent-unreviewed',
    view: 'consent',
    locals: { action, csrf, account, scopes, client: { ...unknownShop, name: unbroken } },
  },
];
