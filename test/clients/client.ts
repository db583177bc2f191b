/**
 * What a client of the matrix is: a program, set up the way its own documentation says with issuer, client id and
 * secret alone, and what a person does with it. A step that throws is a client that does not work.
 */
import type { Page } from 'playwright-core';

export const stepNames = ['login', 'refresh', 'userinfo', 'logout'] as const;
export type StepName = (typeof stepNames)[number];

export const languages = ['node', 'python', 'go'] as const;
export type Language = (typeof languages)[number];

/** What the operator of the application is given, and where the application is. */
export interface Given {
  readonly issuer: string;
  readonly id: string;
  readonly secret: string;
  readonly url: string;
  readonly port: number;
}

export interface Person {
  readonly username: string;
  readonly password: string;
}

export interface Visit extends Given {
  readonly page: Page;
  readonly person: Person;
}

export type Step = (visit: Visit) => Promise<void>;

/** The client itself cannot do it: what it does instead, with file and line of its own source. */
export interface Limit {
  readonly limit: string;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Client {
  readonly name: string;
  readonly language: Language;
  readonly version: string;
  /** A confidential client of a web server, or a public one in the browser. */
  readonly kind: 'web' | 'spa';
  /** Beyond issuer, client id and secret. */
  readonly settings: string;
  /** Paths of the application. */
  readonly redirectPaths: readonly string[];
  readonly signedOutPaths: readonly string[];
  program(given: Given): Program;
  readonly steps: Readonly<Record<StepName, Step | Limit>>;
}

/** One row of the table, and of results.json. `yes`, or why not. */
export type Row = { readonly client: string; readonly version: string; readonly settings: string } & Readonly<
  Record<StepName, string>
>;
