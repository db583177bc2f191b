/** Rules between the members of a route, and between routes. route-shape.ts checks each member alone. */
import { covers, methodOverrides, neverPassed, overlap } from './header-names.ts';
import { ownPlaceAt } from './own-paths.ts';

export type Loose = Readonly<Record<string, unknown>>;

export interface RouteRule {
  /** The members that the rule reads; the mistake is reported for the first. */
  readonly about: readonly [string, ...string[]];
  /** The expected value, if the rule is broken. `earlier`: routes before this one; `own`: paths of this server. */
  readonly check: (route: Loose, earlier: readonly Loose[], own: readonly string[]) => string | undefined;
}

const takesOauth = ({ tokens }: Loose): boolean => listed(tokens).includes('oauth');

/** For the whole file, and for each route. */
const headerRules: readonly RouteRule[] = [
  {
    about: ['passHeaders'],
    check: ({ passHeaders }) => {
      const name = texts(passHeaders).find((each) => neverPassed.some((never) => overlap(each, never)));
      return name && `names other than ${name}: the gateway sets or withholds these headers itself`;
    },
  },
  {
    about: ['passHeaders', 'stripHeaders'],
    check: ({ passHeaders, stripHeaders }) => {
      const lost = texts(stripHeaders).find((strip) => texts(passHeaders).some((pass) => covers(pass, strip)));
      return lost && `names that do not cover ${lost} in stripHeaders`;
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
      return override && `names other than ${override}: this header bypasses methods`;
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
      return clash && 'a prefix that no earlier route has, unless both routes name methods and share none';
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
