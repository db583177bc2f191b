// Which files of src one request enters. A file counts when at least one of its functions is called.
import { requestsOf } from './requests.mjs';
import { startServer } from './server.mjs';

/** Background work comes between: what one request enters, every one of these entered. */
const tries = 6;

/** Title of each request -> Map of file -> Set of the offsets at which the called functions begin. */
export async function entered() {
  const server = await startServer();
  const { coverage } = server;
  try {
    const requests = await requestsOf(server);
    // Once around: everything that loads on demand is loaded.
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
