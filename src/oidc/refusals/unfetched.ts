/** Why a client's keys could not be fetched, kept on the request for the record of its refusal. */
const unfetched = Symbol('unfetched');
type WithReason = { [unfetched]?: string };

export function noteUnfetched(ctx: object, reason: string): void {
  (ctx as WithReason)[unfetched] = reason;
}

export function whyUnfetched(ctx: object): string | undefined {
  return (ctx as WithReason)[unfetched];
}
