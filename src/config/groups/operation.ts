import { oneOf, port } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const operation = {
  LOG_LEVEL: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info', {
    sentence: 'The least important messages that are logged.',
    example: 'debug',
  }),
  METRICS_PORT: optional(port, '`/metrics` is on `PORT` and answers to the admin key as a Bearer token', {
    sentence: 'A port of its own for `/metrics`, which then asks for no key; keep it inside your network.',
    example: '9464',
  }),
} as const;
