import { flag, newFolder, oneOf, redisUrl, secret, text, urlWith, wholeNumber } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const data = {
  DATA_DIR: setting(newFolder, './data', {
    sentence:
      'The folder of the SQLite file and of the keys that the first start generates. The server closes it to other users (700, files 600) and does not start if it cannot.',
    example: '/var/lib/gatehouse',
  }),
  DATABASE_URL: optional(urlWith('postgres', 'postgresql'), 'SQLite in `DATA_DIR`', {
    secret: true,
    sentence: 'The Postgres to use.',
    example: 'postgres://gatehouse:password@localhost:5432/gatehouse',
  }),
  DATABASE_POOL: setting(wholeNumber(1, 200), 10, {
    sentence: 'The number of Postgres connections that one process may hold.',
    example: '20',
  }),
  DATABASE_POOLER: setting(oneOf('auto', 'on', 'off'), 'auto', {
    sentence:
      'Whether a connection pooler such as PgBouncer stands before Postgres. `auto` detects it at each connection. `off`: there is none, or it gives each connection its own session.',
    example: 'on',
  }),
  MIGRATE: setting(flag, false, {
    sentence: 'Migrates the Postgres schema at start. SQLite always migrates.',
    example: 'true',
  }),
  REDIS_URL: optional(redisUrl, 'each process has its own cache and throttle', {
    secret: true,
    sentence: 'The Redis that several servers share for the client cache and the sign-in throttle.',
    example: 'redis://localhost:6379',
  }),
  REDIS_PREFIX: setting(text(100), 'gatehouse:', {
    sentence: 'The prefix of every Redis key and channel.',
    example: 'staging:',
  }),
  SECRET_KEY: optional(secret(32), 'made at the first start and kept in `DATA_DIR`; required with `DATABASE_URL`', {
    secret: true,
    sentence:
      'Encrypts private signing keys and second factors in the database and signs cookies. It must be the same on all servers.',
    example: 'the output of `openssl rand -base64 32`',
  }),
} as const;
