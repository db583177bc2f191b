import { host, httpsOrigin, oneOf, origin, port, seconds, trustProxy, wholeNumber } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const server = {
  NODE_ENV: setting(oneOf('development', 'production', 'test'), 'development', {
    sentence:
      '`production` is needed for every address that is not loopback. It requires https, and has no development pages and no error details.',
    example: 'production',
  }),
  ISSUER: optional(origin, '`http://localhost:PORT`', {
    sentence:
      'The address at which people and applications reach this server. In production it must be https, except on loopback.',
    example: 'https://id.example.com',
  }),
  DEVELOPMENT_ON: optional(httpsOrigin, 'an address that is not loopback needs `NODE_ENV=production`', {
    sentence:
      'The same address as `ISSUER`, to develop on an address that others can reach, such as a tunnel. There are no development pages then.',
    example: 'https://tunnel.example',
  }),
  PORT: setting(port, 3000, { sentence: 'The port to listen on.', example: '8080' }),
  HOST: optional(host, '`localhost`, or the address in `ISSUER`, if that is loopback; otherwise all addresses', {
    sentence: 'The address to listen on. In production, an address beyond loopback needs `ISSUER`.',
    example: '0.0.0.0',
  }),
  TRUST_PROXY: setting(
    trustProxy,
    { kind: 'off' },
    {
      otherwise: '`off`',
      sentence:
        'Which proxies are trusted: their `X-Forwarded-For` gives the address of a request. The issuer never depends on a header.',
      example: '10.0.0.0/8',
    },
  ),
  WORKERS: setting(wholeNumber(1, 64), 1, {
    sentence: 'How many processes share the port. More than one needs Postgres.',
    example: '4',
  }),
  SHUTDOWN_TIMEOUT: setting(seconds(1, 300), 10, {
    sentence: 'How long open requests may take to finish after SIGTERM.',
    example: '30',
  }),
} as const;
