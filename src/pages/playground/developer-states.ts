/** Pages for developers. */
import type { ViewState } from '../kit/state.ts';

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
  { name: 'why-unknown', view: 'why', locals: { reference: '3f2b8c1d-77aa' } },
  {
    name: 'why',
    view: 'why',
    locals: {
      reference: '3f2b8c1d-77aa',
      says: 'The redirect URI is not registered for this client.',
      source: 'RFC 9700, section 4.1.3',
      advice: 'Send exactly a registered address, character by character, or register this one too.',
    },
  },
  {
    name: 'why-details',
    view: 'why',
    locals: {
      reference: '3f2b8c1d-77aa',
      says: 'The redirect URI is not registered for this client.',
      source: 'RFC 9700, section 4.1.3',
      advice: 'Remove the trailing slash, or register this address too.',
      details: {
        ...{ check: 'redirect_uri_unregistered', endpoint: 'authorize', status: 400, error: 'invalid_redirect_uri' },
        ...{ at: 1_800_000_000, last: 1_800_000_600, times: 12, clientId: 'bookshelf' },
        expected: 'https://bookshelf.example/callback',
        received: 'https://bookshelf.example/callback/',
        nearest: 'https://bookshelf.example/callback',
      },
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
