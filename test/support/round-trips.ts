/**
 * What a piece of work costs in round trips to the database: the least of several tries. The look at the change log,
 * every 400 ms, falls into some of them, and on a busy machine into many. Fewer tries where each uses something up.
 * `settle`: before each.
 */
export async function leastRoundTrips(
  stores: { roundTrips(): number },
  work: () => Promise<unknown>,
  times = 16,
  settle: () => Promise<unknown> = async () => {},
): Promise<number> {
  const costs: number[] = [];
  for (let n = 0; n < times; n += 1) {
    await settle();
    const before = stores.roundTrips();
    await work();
    costs.push(stores.roundTrips() - before);
  }
  return Math.min(...costs);
}
