// The files of src that one request enters: those with at least one called function.
import { requestsOf } from './requests.mjs';
import { startServer } from './server.mjs';

/** Background work may run at the same time, so only the files that every try enters count. */
const tries = 6;

/** Title of each request -> Map of file -> Set of the start offsets of the called functions. */
export async function entered() {
  const server = await startServer();
  const { coverage } = server;
  try {
    const requests = await requestsOf(server);
    // The first run loads every module that loads on demand.
    for (const prepare of Object.values(requests)) await (await prepare())();
    const result = {};
    for (const [title, prepare] of Object.entries(requests)) {
      const each = [];
      for (let i = 0; i < tries; i += 1) {
        const request = await prepare();
        await coverage.take();
        await request();
        each.push(await coverage.take());
      }
      result[title] = each.reduce(common);
    }
    return result;
  } finally {
    coverage.close();
    await server.close();
  }
}

function common(one, other) {
  const both = [...one].map(([file, starts]) => [file, starts.intersection(other.get(file) ?? new Set())]);
  return new Map(both.filter(([, starts]) => starts.size > 0));
}
