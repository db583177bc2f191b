import { seconds } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const lifetimes = {
  ACCESS_TOKEN_TTL: setting(seconds(10, DAY), 600, {
    sentence: 'How long an access token works.',
    example: '300',
  }),
  REFRESH_TOKEN_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    sentence: 'How long refresh tokens work after the authorization code was redeemed. Use never extends it.',
    example: '604800',
  }),
  REFRESH_TOKEN_IDLE_TTL: optional(seconds(60, 365 * DAY), '`REFRESH_TOKEN_TTL`', {
    sentence: 'How long an unused refresh token works.',
    example: '604800',
  }),
  REFRESH_REUSE_WINDOW: setting(seconds(0, 60), 10, {
    sentence:
      'For sessions of the identity API: how long a replaced refresh token still returns its replacement. A later use ends the session. 0: never.',
    example: '0',
  }),
  CLIENT_REFRESH_REUSE_WINDOW: optional(seconds(0, 60), '`60`; `0` if `REFRESH_REUSE_WINDOW` is 0', {
    sentence:
      'For public clients: how long a replaced refresh token still returns its replacement, if that is unused. A later use ends all tokens of the grant. 0: never. `refresh_reuse` is the same for one client.',
    example: '10',
  }),
  DYNAMIC_CLIENT_REFRESH_REUSE_WINDOW: optional(seconds(0, 900), '`CLIENT_REFRESH_REUSE_WINDOW`', {
    sentence: 'The same for public clients that registered themselves or have a metadata document.',
    example: '300',
  }),
  ID_TOKEN_TTL: setting(seconds(10, DAY), 3600, {
    sentence: 'How long an ID token is valid.',
    example: '600',
  }),
  AUTHORIZATION_CODE_TTL: setting(seconds(1, 600), 60, {
    sentence: 'How long an authorization code can be redeemed.',
    example: '30',
  }),
  DEVICE_CODE_TTL: setting(seconds(60, 3600), 600, {
    sentence: 'How long a person has to enter the code that a device shows, and to allow the device.',
    example: '900',
  }),
  DEVICE_POLL_INTERVAL: setting(seconds(1, 60), 5, {
    sentence:
      'How long a device waits between two requests for its tokens. A device that asks sooner must wait longer.',
    example: '10',
  }),
  SESSION_TTL: setting(seconds(60, 365 * DAY), 14 * DAY, {
    sentence:
      'How long a browser stays signed in if the user ticked “Stay signed in on this device”, counted from the sign-in.',
    example: '43200',
  }),
  SESSION_TTL_UNREMEMBERED: optional(seconds(60, 365 * DAY), '`SESSION_TTL`', {
    sentence:
      'The same if the user did not tick the box. The cookie of such a session ends when the browser is closed.',
    example: '43200',
  }),
  SESSION_IDLE_TTL: setting(seconds(0, 365 * DAY), 0, {
    sentence: 'How long a session lasts if neither the browser nor an application uses it. 0: no limit.',
    example: '86400',
  }),
  INTERACTION_TTL: setting(seconds(60, DAY), 3600, {
    sentence: 'How long a user may take on the sign-in and consent pages.',
    example: '900',
  }),
  IDENTITY_TOKEN_TTL: setting(seconds(10, DAY), 3600, {
    sentence: 'How long a JWT of the identity API works.',
    example: '600',
  }),
  IDENTITY_SESSION_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    sentence: 'How long a session of the identity API lasts after its last refresh.',
    example: '604800',
  }),
  SECURITY_SERVICE_TOKEN_TTL: setting(seconds(60, 30 * DAY), DAY, {
    sentence: 'How long a token of the security-service API works.',
    example: '28800',
  }),
  TINYOAUTH_TOKEN_TTL: setting(seconds(60, 30 * DAY), DAY, {
    sentence: 'How long a token of the tinyoauth API works.',
    example: '28800',
  }),
  SPACE_GUARD_TOKEN_TTL: setting(seconds(10, DAY), 600, {
    sentence: 'How long an access token of the space-guard API works.',
    example: '300',
  }),
  SPACE_GUARD_REFRESH_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    sentence: 'How long a session of the space-guard API lasts. Use never extends it.',
    example: '604800',
  }),
  CLIENT_SECRET_OVERLAP: setting(seconds(0, 30 * DAY), DAY, {
    sentence: "How long a client's previous secret still works after a rotation.",
    example: '3600',
  }),
} as const;
