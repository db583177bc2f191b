/** Pages for developers. */
import type { ViewState } from './state.ts';

const field = (name: string) => ({ name, type: 'string', required: true, description: 'What `it` is.' });

export const developerStates: readonly ViewState[] = [
  {
    name: 'gallery',
    view: 'gallery',
    locals: {
      locales: ['en', 'ar'],
      shownIn: 'en',
      views: [{ name: 'login', states: ['login-plain', 'login-wrong'] }],
    },
  },
  { name: 'dev-mails-locked', view: 'dev-mails', locals: { mails: undefined } },
  { name: 'dev-mails-empty', view: 'dev-mails', locals: { mails: [] } },
  {
    name: 'dev-mails',
    view: 'dev-mails',
    locals: {
      mails: [
        {
          to: 'ada@example.org',
          subject: 'A new password for Gatehouse',
          text: 'Somebody, probably you, asked to set a new password.\n\nSet a new password:\nhttp://localhost:3000/reset?token=Qw3rTy',
          link: 'http://localhost:3000/reset?token=Qw3rTy',
          at: 1_800_000_000,
        },
        { to: 'ada@example.org', subject: 'Hello', text: 'Without a link.', link: undefined, at: 1_800_000_000 },
      ],
    },
  },
  {
    name: 'openapi',
    view: 'openapi',
    locals: {
      apis: [
        {
          name: 'lending',
          title: 'Lending',
          about: 'For those who lend and borrow.',
          operations: [{ id: 'postLoans', method: 'POST', path: '/loans', summary: 'Borrow a book' }],
        },
      ],
    },
  },
  {
    name: 'openapi-api',
    view: 'openapi-api',
    locals: {
      title: 'Lending',
      about: 'For those who lend and borrow.',
      bases: ['/dev/lending'],
      failure: { fields: [field('error'), field('message')], example: '{\n  "error": "unknown"\n}' },
      operations: [
        {
          id: 'postLoans',
          method: 'POST',
          path: '/loans/{reader}',
          summary: 'Borrow a book',
          description: 'For the reader, until `due`.',
          security: ['Authorization: Bearer. A token of the reader.'],
          parameters: [{ ...field('reader'), type: 'string (path)' }],
          body: {
            type: 'application/json',
            description: 'Which book, and for how long.',
            fields: [field('book'), { ...field('book.title'), required: false }, field('due')],
            example: '{\n  "book": { "title": "Persuasion" },\n  "due": "2030-01-01"\n}',
          },
          answers: [
            {
              status: 200,
              description: 'It is lent.',
              headers: [{ name: 'Location', description: 'The loan.' }],
              type: 'application/loan+json',
              fields: [field('id')],
              example: '{\n  "id": 7\n}',
            },
            { status: 404, description: 'There is no such book.', headers: [], fields: [] },
          ],
        },
      ],
      aliases: [
        {
          id: 'postBorrow',
          method: 'POST',
          path: '/borrow',
          summary: 'Borrow',
          of: '/loans',
          href: '/openapi/x#postLoans',
        },
      ],
    },
  },
  {
    name: 'playground',
    view: 'playground',
    locals: {
      issuer: 'http://localhost:3000',
      clientId: 'playground',
      redirectUri: 'http://localhost:3000/playground',
    },
  },
];
