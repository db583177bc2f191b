/** What the pages for developers need to be shown. Part of the contract in views.ts. */

/** What `public/playground.js` says; the page hands it the texts. */
export const playgroundTexts = [
  'title.discovery',
  'title.authorize',
  'title.callback',
  'title.redeem',
  'title.jwks',
  'title.id_token',
  'title.refresh',
  'title.userinfo',
  'title.user_info',
  'title.revoke',
  'title.logout',
  'title.back_from_logout',
  'title.failed',
  'send.authorize',
  'send.logout',
  'about.authorize',
  'about.logout',
  'about.pkce',
  'check.state',
  'check.iss',
  'check.signature',
  'check.issuer',
  'check.audience',
  'check.nonce',
  'check.expiry',
  'check.pass',
  'check.fail',
  'error.refused',
  'error.state',
  'error.iss',
  'error.network',
  'error.insecure',
  'label.request',
  'label.answer',
  'label.decoded',
  'label.parameters',
  'label.checks',
] as const;

/** A member of a body, or a parameter. */
export interface FieldView {
  /** Members of members by their path: `user_data.first_name`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

export interface OperationView {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description?: string | undefined;
  /** Ways to authenticate, a sentence each. */
  readonly security: readonly string[];
  readonly parameters: readonly FieldView[];
  readonly body?: {
    readonly type: string;
    readonly description: string;
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  };
  readonly answers: readonly {
    readonly status: number;
    readonly description: string;
    readonly headers: readonly { readonly name: string; readonly description: string }[];
    /** Where it is not JSON as usual. */
    readonly type?: string | undefined;
    /** None for a body that is the API's usual error. */
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  }[];
}

/** For operators and the owner of the application. */
export interface WhyDetails {
  readonly check: string;
  readonly endpoint: string;
  readonly status: number;
  readonly error: string;
  /** Seconds since the epoch: the first and the last time. */
  readonly at: number;
  readonly last: number;
  readonly times: number;
  readonly clientId?: string | undefined;
  readonly expected?: string | undefined;
  readonly received?: string | undefined;
  readonly nearest?: string | undefined;
}

export interface DeveloperViews {
  why: {
    readonly reference: string;
    /** Left out: there is no record under this reference. */
    readonly says?: string | undefined;
    readonly source?: string | undefined;
    readonly advice?: string | undefined;
    readonly details?: WhyDetails | undefined;
  };
  'dev-mails': {
    /** Undefined: this browser has not opened the link in the terminal. */
    readonly mails:
      | readonly {
          readonly to: string;
          readonly subject: string;
          readonly text: string;
          readonly link: string | undefined;
          /** Seconds since the epoch. */
          readonly at: number;
        }[]
      | undefined;
  };
  gallery: {
    readonly locales: readonly string[];
    /** The one that the links lead to. */
    readonly shownIn: string;
    readonly views: readonly { readonly name: string; readonly states: readonly string[] }[];
  };
  openapi: {
    readonly apis: readonly {
      readonly name: string;
      readonly title: string;
      readonly about: string;
      readonly operations: readonly Pick<OperationView, 'id' | 'method' | 'path' | 'summary'>[];
    }[];
  };
  'openapi-api': {
    readonly title: string;
    readonly about: string;
    /** Further places where the same is mounted. */
    readonly bases: readonly string[];
    /** The body of its errors. */
    readonly failure: { readonly fields: readonly FieldView[]; readonly example?: string | undefined };
    readonly operations: readonly OperationView[];
    /** Addresses at which another API's operation answers. */
    readonly aliases: readonly (Pick<OperationView, 'id' | 'method' | 'path' | 'summary'> & {
      readonly of: string;
      readonly href: string;
    })[];
  };
  playground: {
    readonly issuer: string;
    readonly clientId: string;
    readonly redirectUri: string;
    /** Offered for signing in; `openid profile email` unless told otherwise. */
    readonly scope?: string | undefined;
  };
}
