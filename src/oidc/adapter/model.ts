import type { Adapter } from 'oidc-provider';
import { orUnavailable } from '../unavailable.ts';

type Calls = Partial<Omit<Adapter, 'findByUserCode'>>;

/** Fills in what a model never calls, and words a database that is down for the engine. */
export function adapterOf(model: string, calls: Calls): Adapter {
  const guard =
    <A extends unknown[], R>(call: ((...args: A) => Promise<R>) | undefined, name: string) =>
    (...args: A): Promise<R> => {
      if (!call) throw new Error(`the engine does not ${name} a ${model} here`);
      return orUnavailable(() => call(...args));
    };
  return {
    find: guard(calls.find, 'find'),
    findByUid: guard(calls.findByUid, 'find by uid'),
    findByUserCode: guard(undefined, 'find by user code'),
    upsert: guard(calls.upsert, 'save'),
    consume: guard(calls.consume, 'consume'),
    destroy: guard(calls.destroy, 'destroy'),
    revokeByGrantId: guard(calls.revokeByGrantId, 'revoke'),
  };
}
