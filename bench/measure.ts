/** Runs one operation on all seats of one server for some seconds and returns the figures. */
import type { Operation, Seat, Step } from './operations.ts';
import type { Server } from './servers.ts';

export interface Sample {
  /** Runs per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of the server's processor time per run. Other load on the machine hardly changes it. */
  readonly cpu: number;
  /** Use of the server's core and of the generator's, from 0 to 1. */
  readonly serverBusy: number;
  readonly generatorBusy: number;
}

/** Throws the first error of any seat. */
export async function measure(operation: Operation, seats: readonly Seat[], seconds: number): Promise<Sample> {
  const [{ server }] = seats as readonly [Seat, ...Seat[]];
  const counted = operation.beside ? seats.filter((_, index) => index % 4 === 0) : seats;
  const steps = counted.map((seat) => operation.step(seat));
  const beside = seats.filter((seat) => !counted.includes(seat)).map((seat) => operation.beside?.(seat));
  const before = { cpu: server.cpu(), own: process.cpuUsage(), at: performance.now() };
  const until = before.at + seconds * 1000;
  const times: number[] = [];
  const results = await Promise.allSettled([
    ...steps.map((step) => drive(step, until, times)),
    ...beside.map((step) => step && drive(step, until, [])),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw new Error(`${operation.title} on ${server.kind}: ${failed.reason}`);
  const took = (performance.now() - before.at) / 1000;
  const cpu = server.cpu() - before.cpu;
  const own = process.cpuUsage(before.own);
  times.sort((a, b) => a - b);
  return {
    rate: times.length / took,
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
    cpu: (cpu * 1e6) / times.length,
    serverBusy: cpu / took,
    generatorBusy: (own.user + own.system) / 1e6 / took,
  };
}

async function drive(step: Step, until: number, times: number[]): Promise<void> {
  for (let began = performance.now(); began < until; ) {
    await step();
    const now = performance.now();
    times.push(now - began);
    began = now;
  }
}

/** Database round trips per run of a single seat, without other load. */
export async function countRoundTrips(operation: Operation, server: Server, seat: Seat): Promise<number | undefined> {
  const goes = 40;
  const step = operation.step(seat);
  await step();
  const before = await server.roundTrips();
  if (before === undefined) return undefined;
  for (let go = 0; go < goes; go += 1) await step();
  const after = (await server.roundTrips()) ?? before;
  // Rounding removes the reads of the change log, two or three a second.
  return Math.round((after - before) / goes);
}
