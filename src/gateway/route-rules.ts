/** The rules between the members of a route, and between routes: what no member can be wrong about by itself. */
import { ownPathAt } from './own-paths.ts';

export type Loose = Readonly<Record<string, unknown>>;

export interface RouteRule {
  /** The members it reads; the first is the one to change. */
  readonly about: readonly [string, ...string[]];
  /** What is wanted instead, where it is broken. `earlier`: the routes before this one. */
  readonly check: (route: Loose, earlier: readonly Loose[]) => string | undefined;
}

const takesOauth = ({ tokens }: Loose): boolean => listed(tokens).includes('oauth');

export const routeRules: readonly RouteRule[] = [
  {
    about: ['prefix'],
    check: ({ prefix }) => {
      const own = ownPathAt(String(prefix));
      return own && `another path: this server answers ${own} itself`;
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

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
