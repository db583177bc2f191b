import { seconds } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const lifetimes = {
  ACCESS_TOKEN_TTL: setting(seconds(10, DAY), 600, {
    sentence: 'How long an access token works.',
    example: '300',
  }),
  REFRESH_TOKEN_TTL: setting(seconds(60, 365 * DAY), 30 * DAY, {
    sentence: 'How long refreshing works after the code was redeemed; use never extends it.',
    example: '604800',
  }),
  REFRESH_TOKEN_IDLE_TTL: optional(seconds(60, 365 * DAY), '`REFRESH_TOKEN_TTL`', {
    sentence: 'How long a refresh token works when nobody uses it.',
    example: '604800',
  }),
  REFRESH_REUSE_WINDOW: setting(seconds(0, 60), 10, {
    sentence:
      'How long a refresh token that was just exchanged is forgiven a second use; later it ends the whole family. 0: never.',
    example: '0',
  }),
  ID_TOKEN_TTL: setting(seconds(10, DAY), 3600, {
    sentence: 'How long an ID token is valid.',
    example: '600',
  }),
  AUTHORIZATION_CODE_TTL: setting(seconds(1, 600), 60, {
    sentence: 'How long an authorization code can be redeemed.',
    example: '30',
  }),
  SESSION_TTL: setting(seconds(60, 365 * DAY), 14 * DAY, {
    sentence: 'How long a browser stays signed in where its person chose to be remembered, counted from the login.',
    example: '43200',
  }),
  SESSION_TTL_UNREMEMBERED: optional(seconds(60, 365 * DAY), '`SESSION_TTL`', {
    sentence:
      'The same for a browser that was not asked to keep the person signed in; its cookie goes with the browser in any case.',
    example: '43200',
  }),
  SESSION_IDLE_TTL: setting(seconds(0, 365 * DAY), 0, {
    sentence:
      'How long a browser stays signed in when neither it nor an application of its person uses that. 0: it does not matter.',
    example: '86400',
  }),
  INTERACTION_TTL: setting(seconds(60, DAY), 3600, {
    sentence: 'How long a person may take on the login and consent pages.',
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
    sentence: 'How long a session of the space-guard API lasts; use never extends it.',
    example: '604800',
  }),
  CLIENT_SECRET_OVERLAP: setting(seconds(0, 30 * DAY), DAY, {
    sentence: "How long a client's previous secret still works after a rotation.",
    example: '3600',
  }),
} as const;
