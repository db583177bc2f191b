/** A session as the account pages show it. */
import { programOf } from '../../../core/kernel/program.ts';
import type { ListedSession } from '../../../core/sessions/sessions.ts';
import { type AddressPlace, placeOf } from '../../kit/place.ts';
import { asking } from './asking.ts';

export const sessionDoors = ['browser', 'identity', 'security-service', 'tinyoauth'] as const;

/** Each is the name of an icon. */
type SessionKind = 'computer' | 'phone' | 'terminal' | 'bot';

export interface SessionView {
  readonly kind: SessionKind;
  readonly door: string;
  /** Derived from the program's user agent. */
  readonly program?: string | undefined;
  readonly system?: string | undefined;
  readonly address?: string | undefined;
  /** What the address alone shows. */
  readonly place?: AddressPlace | undefined;
  readonly createdAt: number;
  readonly lastSeenAt?: number | undefined;
  /** The session of this browser. */
  readonly here: boolean;
  /** The page that asks whether to end it. Absent for the session of this browser. */
  readonly end?: string | undefined;
}

export const sessionsPage = '/account/sessions';

export function sessionView(
  { uid, origin, createdAt, lastSeenAt }: ListedSession,
  hereUid: string,
  from?: 'overview',
): SessionView {
  const here = uid === hereUid;
  const about = programOf(origin.userAgent);
  return {
    kind: kindOf(about, origin.door),
    door: origin.door,
    ...about,
    address: origin.address ?? undefined,
    place: placeOf(origin.address ?? undefined),
    createdAt,
    lastSeenAt: lastSeenAt ?? undefined,
    here,
    end: here ? undefined : asking(`${sessionsPage}/end`, { session: uid }, from),
  };
}

/** The session of this browser first, then the most recently used. */
export const byUse = (a: SessionView, b: SessionView): number =>
  Number(b.here) - Number(a.here) || (b.lastSeenAt ?? b.createdAt) - (a.lastSeenAt ?? a.createdAt);

const phones: readonly (string | undefined)[] = ['iPhone', 'iPad', 'Android'];

/** For the symbol only: a program can call itself anything. */
function kindOf({ program, system }: ReturnType<typeof programOf>, door: string): SessionKind {
  if (phones.includes(system)) return 'phone';
  if (/bot\b|\bagent\b|crawler|spider/i.test(program ?? '')) return 'bot';
  return system !== undefined || door === 'browser' ? 'computer' : 'terminal';
}
