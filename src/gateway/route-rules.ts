/** The rules between the members of a route, and between routes: what no member can be wrong about by itself. */
import { covers, methodOverrides, neverPassed, overlap } from './header-names.ts';
import { ownPlaceAt } from './own-paths.ts';

export type Loose = Readonly<Record<string, unknown>>;

export interface RouteRule {
  /** The members it reads; the first is the one to change. */
  readonly about: readonly [string, ...string[]];
  /**
   * What is wanted instead, where it is broken. `earlier`: the routes before this one; `own`: this server's own places.
   */
  readonly check: (route: Loose, earlier: readonly Loose[], own: readonly string[]) => string | undefined;
}

const takesOauth = ({ tokens }: Loose): boolean => listed(tokens).includes('oauth');

/** Of the file as a whole, and of each route. */
const headerRules: readonly RouteRule[] = [
  {
    about: ['passHeaders'],
    check: ({ passHeaders }) => {
      const name = texts(passHeaders).find((each) => neverPassed.some((never) => overlap(each, never)));
      return name && `other names than ${name}: the gateway says itself, or withholds, what that covers`;
    },
  },
  {
    about: ['passHeaders', 'stripHeaders'],
    check: ({ passHeaders, stripHeaders }) => {
      const lost = texts(stripHeaders).find((strip) => texts(passHeaders).some((pass) => covers(pass, strip)));
      return lost && `names that do not cover ${lost}, which stripHeaders has`;
    },
  },
];

export const fileRules: readonly RouteRule[] = headerRules;

export const routeRules: readonly RouteRule[] = [
  ...headerRules,
  {
    about: ['passHeaders', 'methods'],
    check: ({ passHeaders, methods }) => {
      if (methods === undefined) return undefined;
      const override = texts(passHeaders).find((each) => methodOverrides.some((name) => overlap(each, name)));
      return override && `other names than ${override}: it would get around methods`;
    },
  },
  {
    about: ['prefix'],
    check: ({ prefix }, _earlier, own) => {
      const place = ownPlaceAt(String(prefix), own);
      return place && `another path: this server answers ${place} itself`;
    },
  },
  {
    about: ['prefix', 'methods'],
    check: ({ prefix, methods }, earlier) => {
      const mine = listed(methods);
      const clash = earlier.find((other) => {
        if (String(other.prefix).toLowerCase() !== String(prefix).toLowerCase()) return false;
        const theirs = listed(other.methods);
        return (
          other.prefix !== prefix ||
          mine.length === 0 ||
          theirs.length === 0 ||
          mine.some((method) => theirs.includes(method))
        );
      });
      return clash && 'a prefix that no route before has, unless both name methods and none of them twice';
    },
  },
  {
    // A token for another API must not pass (RFC 9068, section 4).
    about: ['audience', 'tokens'],
    check: (route) => {
      if (takesOauth(route) === (route.audience !== undefined)) return undefined;
      return takesOauth(route)
        ? 'the identifier of an API, because tokens names oauth'
        : 'nothing, because tokens does not name oauth';
    },
  },
  {
    about: ['scopes', 'tokens'],
    check: (route) =>
      listed(route.scopes).length > 0 && !takesOauth(route)
        ? 'nothing, because only tokens of the kind oauth carry scopes'
        : undefined,
  },
];

const texts = (value: unknown): string[] => listed(value).filter((each) => typeof each === 'string');
const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
