import { host, oneOf, port, secrets } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const operation = {
  LOG_LEVEL: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    sentence: 'The least important messages that are logged.',
    example: 'debug',
  }),
  METRICS_PORT: optional(port, '`/metrics` is on `PORT`, for `METRICS_TOKEN` and the admin key as Bearer tokens', {
    sentence: 'A port of its own for `/metrics`, which is then not on `PORT`.',
    example: '9464',
  }),
  METRICS_HOST: setting(host, '127.0.0.1', {
    sentence: 'The address on which `METRICS_PORT` listens; beyond loopback it needs `METRICS_TOKEN`.',
    example: '0.0.0.0',
  }),
  METRICS_TOKEN: optional(secrets(16), 'on `METRICS_PORT` none is asked for', {
    secret: true,
    sentence: 'The Bearer token for `/metrics`; name two, separated by a comma, while you replace one.',
    example: 'the output of `openssl rand -base64 32`',
  }),
} as const;
