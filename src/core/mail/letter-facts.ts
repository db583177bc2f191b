/** What a mail about an account's security tells of the event: who, when, with what program, from what address. */
import { nowSeconds } from '../../base/clock.ts';
import type { Caller } from '../kernel/caller.ts';
import { programOf } from '../kernel/program.ts';
import type { Account } from '../stores/accounts.ts';
import type { LetterFacts } from './mailer.ts';

type Person = Pick<Account, 'subject' | 'username' | 'zoneinfo'>;

/** `at`: seconds since the epoch. */
export function factsOf(person: Person, caller: Caller | undefined, at: number = nowSeconds()): LetterFacts {
  return { ...aboutOf(person, at), ...callerFacts(person, caller, programOf(caller?.userAgent)) };
}

/** Of a request that a stranger may have made: a user agent could be any text, so only known programs are named. */
export function strangersFacts(person: Person, caller: Caller): LetterFacts {
  const program = programOf(caller.userAgent, { onlyKnown: true });
  return { ...aboutOf(person, nowSeconds()), ...callerFacts(person, caller, program) };
}

const aboutOf = ({ username, zoneinfo }: Person, at: number): LetterFacts => ({
  username,
  zone: zoneinfo ?? undefined,
  at,
});

function callerFacts({ subject }: Person, caller: Caller | undefined, program: ReturnType<typeof programOf>) {
  // An administrator's program and address are not the person's business.
  const byAdmin = caller?.via === 'cli' || (caller?.by !== undefined && caller.by !== subject);
  return byAdmin ? { byAdmin } : { ...program, address: caller?.address || undefined };
}
