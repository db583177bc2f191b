/** Which of somebody's passkeys and connected accounts cannot go, because nothing else would let them in (core/ways-in). */
import type { Account } from '../core/stores/accounts.ts';
import type { Upstream } from '../core/upstream.ts';
import { leavesWayIn, type WaysIn } from '../core/ways-in.ts';

/** Ids of those that people can sign in with. */
export const providersOf = (upstream: Upstream): readonly string[] => upstream.offered().map(({ id }) => id);

export async function neededOf(
  upstream: Upstream,
  { subject, passwordHash }: Account,
  passkeys: WaysIn['passkeys'],
): Promise<(id: string) => boolean> {
  const ways = { password: passwordHash !== null, passkeys, identities: await upstream.linked(subject) };
  return (id) => !leavesWayIn(ways, id, providersOf(upstream));
}
