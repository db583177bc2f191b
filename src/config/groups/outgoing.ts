import { networks, urlWith } from '../kinds.ts';
import { optional, setting } from '../setting.ts';

export const outgoing = {
  OUTBOUND_ALLOW: setting(networks, [], {
    otherwise: 'public addresses only, over https',
    sentence:
      'Networks that reviewed clients may name in their metadata, such as the address of their keys, also over http. Addresses in other settings are not restricted.',
    example: '10.20.0.0/16',
  }),
  HTTPS_PROXY: optional(urlWith('http', 'https'), 'requests to addresses that clients name go out directly', {
    secret: true,
    sentence:
      'A proxy for requests to addresses that clients name, which gets `CONNECT` with an IP address. Networks of `OUTBOUND_ALLOW` are reached without it.',
    example: 'http://proxy.internal:3128',
  }),
} as const;
