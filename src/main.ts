/** Reads the settings, builds the server, listens, and drains on the way out; nothing else. */
import { enableCompileCache } from 'node:module';

// First of all: the modules below load from the cache (a start takes a quarter of the time).
enableCompileCache();
const { serve } = await import('./serve.ts');
await serve(process.env);
