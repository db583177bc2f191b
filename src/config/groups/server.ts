import { host, httpsOrigin, oneOf, origin, port, seconds, trustProxy, wholeNumber } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const server = {
  NODE_ENV: setting(oneOf('development', 'production', 'test'), 'development', {
    sentence:
      '`production` is for every address that is not loopback: it asks for https, and has no development pages and no error details.',
    example: 'production',
  }),
  ISSUER: optional(origin, '`http://localhost:PORT`', {
    sentence:
      'The address by which people and applications reach this server; in production https, except on loopback.',
    example: 'https://id.example.com',
  }),
  DEVELOPMENT_ON: optional(httpsOrigin, 'an address that is not loopback needs `NODE_ENV=production`', {
    sentence:
      'The same address as `ISSUER`, to develop on an address that others can reach, such as a tunnel; there are no development pages there.',
    example: 'https://tunnel.example',
  }),
  PORT: setting(port, 3000, { sentence: 'The port to listen on.', example: '8080' }),
  HOST: optional(host, '`localhost`, or the address in `ISSUER`, where that is loopback; otherwise all addresses', {
    sentence: 'The address to listen on; in production one beyond loopback needs `ISSUER`.',
    example: '0.0.0.0',
  }),
  TRUST_PROXY: setting(
    trustProxy,
    { kind: 'off' },
    {
      otherwise: '`off`',
      sentence:
        "Whose `X-Forwarded-For` is believed when a request's address is told; the issuer never follows a header.",
      example: '10.0.0.0/8',
    },
  ),
  WORKERS: setting(wholeNumber(1, 64), 1, {
    sentence: 'How many processes share the port; more than one needs Postgres.',
    example: '4',
  }),
  SHUTDOWN_TIMEOUT: setting(seconds(1, 300), 10, {
    sentence: 'How long requests under way may take to finish after SIGTERM.',
    example: '30',
  }),
} as const;
