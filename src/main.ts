/** The entry point of the server. serve.ts does the work. */
import { enableCompileCache } from 'node:module';

// Must run first: the modules below then load from the compile cache, which makes a start four times as fast.
enableCompileCache();
const { serve } = await import('./serve.ts');
await serve(process.env);
