/** The entry point of the command line: `npm run cli -- …`. run.ts does the work. */
import { enableCompileCache } from 'node:module';

// First, so that the modules below load from the cache.
enableCompileCache();
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Gatehouse needs Node 24 or later; this is ${process.version}.\n`);
  process.exit(1);
}
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
// After a refused login the driver keeps a Postgres connection open, which would delay the exit by a minute.
if (process.exitCode) process.exit();
