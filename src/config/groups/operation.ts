import { host, oneOf, port, secrets } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const operation = {
  LOG_LEVEL: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    sentence: 'The lowest level of messages that are logged.',
    example: 'debug',
  }),
  METRICS_PORT: optional(port, '`/metrics` is on `PORT` and takes `METRICS_TOKEN` or the admin key as Bearer token', {
    sentence: 'A separate port for `/metrics`, which is then not on `PORT`.',
    example: '9464',
  }),
  METRICS_HOST: setting(host, '127.0.0.1', {
    sentence: 'The address on which `METRICS_PORT` listens. An address beyond loopback needs `METRICS_TOKEN`.',
    example: '0.0.0.0',
  }),
  METRICS_TOKEN: optional(secrets(16), '`METRICS_PORT` asks for no token', {
    secret: true,
    sentence: 'The Bearer token for `/metrics`. While you replace it, give both, separated by a comma.',
    example: 'the output of `openssl rand -base64 32`',
  }),
} as const;
