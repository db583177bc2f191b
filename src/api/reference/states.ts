import type { ViewState } from '../../pages/kit/state.ts';

const field = (name: string) => ({ name, type: 'string', required: true, description: 'What `it` is.' });

export const referenceStates: readonly ViewState[] = [
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
          tryIt: {
            inputs: [{ name: 'reader', in: 'path', required: true }],
            credentials: [
              { kind: 'bearer', header: 'Authorization' },
              { kind: 'basic', header: 'Authorization' },
              { kind: 'header', header: 'X-Admin-Key' },
            ],
            anonymous: true,
            body: {
              type: 'application/json',
              example: '{\n  "book": { "title": "Persuasion" },\n  "due": "2030-01-01"\n}',
            },
            curl: "curl -X POST 'https://id.example.com/loans/READER' \\\n  -H 'Authorization: Bearer ACCESS_TOKEN'",
          },
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
];
