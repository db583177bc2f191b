/** Reads the settings, builds the server, listens, and drains on the way out; nothing else. */
import { enableCompileCache } from 'node:module';

// First of all: the modules below load from the cache (a start takes a quarter of the time).
enableCompileCache();
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Gatehouse needs Node 24 or later; this is ${process.version}.\n`);
  process.exit(1);
}
const { serve } = await import('./serve.ts');
await serve(process.env);

export {};
