import { flag } from '../kinds.ts';
import { setting } from '../setting.ts';

export const protocol = {
  REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: setting(flag, false, {
    sentence:
      'Every application must push its authorization requests (RFC 9126). Without it, `require_pushed_authorization_requests` decides for each client.',
    example: 'true',
  }),
} as const;
