/** The checked content of the file that UPSTREAMS names. */

import { isLoopbackHost } from '../../base/loopback.ts';
import type { ProviderLogo } from '../../core/upstream/upstream-provider.ts';

/** Names of the members in the provider's response. Empty: there is no such member. */
export interface ClaimNames {
  readonly subject: string;
  readonly username: string;
  readonly email: string;
  readonly email_verified: string;
  readonly first_name: string;
  readonly last_name: string;
  /** The full name, if there is no first and last name. */
  readonly name: string;
}

type ClientAuthentication = 'basic' | 'post' | 'none';

/** The allowed tenants of a provider with many (tenants.ts). */
export interface Tenants {
  /** The issuer of a tenant, with `{tenantid}` in place of its id. */
  readonly template: string;
  /** In lower case. */
  readonly allowed: 'any' | readonly string[];
}

interface Common {
  readonly id: string;
  readonly name: string;
  readonly logo: ProviderLogo | undefined;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  readonly scopes: readonly string[];
  readonly claims: ClaimNames;
  readonly signUp: boolean;
  readonly trustEmail: boolean;
  readonly trustMfa: boolean;
  readonly freshSignIn: 'told' | 'assumed' | 'never';
  /** How the response arrives: in the redirect, or in a form that another site's page sends (Apple). */
  readonly responseMode: 'query' | 'form_post';
}

export type UpstreamSettings = Common &
  (
    | { readonly type: 'oidc'; readonly issuer: string; readonly tenants: Tenants | undefined }
    | {
        readonly type: 'oauth2';
        /** The issuer in its responses (RFC 9207). */
        readonly issuer: string | undefined;
        readonly authorizationEndpoint: string;
        readonly tokenEndpoint: string;
        readonly userinfoEndpoint: string;
        /** The endpoint that lists a person's addresses as GitHub does. */
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

/** The names that GitHub uses, and many others. */
export const oauth2Claims: ClaimNames = {
  subject: 'id',
  username: 'login',
  email: 'email',
  email_verified: '',
  first_name: '',
  last_name: '',
  name: 'name',
};

/** Hosts where http is safe: development and tests. */
export const isLoopback = ({ hostname }: URL): boolean => isLoopbackHost(hostname);
