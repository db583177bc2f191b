/** What stands in the file that UPSTREAMS names, once it is checked. */

import { isLoopbackHost } from '../../base/loopback.ts';

/** Which member of the provider's answer is what. Empty: it has none. */
export interface ClaimNames {
  readonly subject: string;
  readonly username: string;
  readonly email: string;
  readonly email_verified: string;
  readonly first_name: string;
  readonly last_name: string;
  /** The whole name, where there is no first and last one. */
  readonly name: string;
}

export type ClientAuthentication = 'basic' | 'post' | 'none';

/** Which tenants of a provider with many are let in (tenants.ts). */
export interface Tenants {
  /** Of their issuers, with `{tenantid}` in it. */
  readonly template: string;
  /** In lower case. */
  readonly allowed: 'any' | readonly string[];
}

interface Common {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  readonly scopes: readonly string[];
  readonly claims: ClaimNames;
  readonly signUp: boolean;
  readonly trustEmail: boolean;
  readonly trustMfa: boolean;
  readonly freshSignIn: 'told' | 'assumed' | 'never';
  /** How it hands over its answer: by the address, or by a form that another site's page sends (Apple). */
  readonly responseMode: 'query' | 'form_post';
}

export type UpstreamSettings = Common &
  (
    | { readonly type: 'oidc'; readonly issuer: string; readonly tenants: Tenants | undefined }
    | {
        readonly type: 'oauth2';
        /** Where it names itself in its answers (RFC 9207). */
        readonly issuer: string | undefined;
        readonly authorizationEndpoint: string;
        readonly tokenEndpoint: string;
        readonly userinfoEndpoint: string;
        /** Where it lists a person's addresses, in GitHub's manner. */
        readonly emailsEndpoint: string | undefined;
      }
  );

export const oidcClaims: ClaimNames = {
  subject: 'sub',
  username: 'preferred_username',
  email: 'email',
  email_verified: 'email_verified',
  first_name: 'given_name',
  last_name: 'family_name',
  name: 'name',
};

/** As GitHub words them, and many after it. */
export const oauth2Claims: ClaimNames = {
  subject: 'id',
  username: 'login',
  email: 'email',
  email_verified: '',
  first_name: '',
  last_name: '',
  name: 'name',
};

/** Where http harms nobody: for development and tests. */
export const isLoopback = ({ hostname }: URL): boolean => isLoopbackHost(hostname);
