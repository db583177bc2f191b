/** The command line as a program: `npm run cli -- …`. What it does is in run.ts. */
import { enableCompileCache } from 'node:module';

// First of all: the modules below load from the cache.
enableCompileCache();
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Gatehouse needs Node 24 or later; this is ${process.version}.\n`);
  process.exit(1);
}
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
// The driver leaves a connection open on which Postgres did not let it in: a command would end a minute later.
if (process.exitCode) process.exit();
