// Runs npm scripts at the same time. What each of them printed comes in one piece when it has ended; the first that
// fails gives the exit code.
//
//   node scripts/at-once.mjs check:types 'clients --short'
import { spawn } from 'node:child_process';

await Promise.all(
  process.argv.slice(2).map(async (call) => {
    const [name, ...words] = call.split(' ');
    const began = performance.now();
    const child = spawn('npm', ['run', '--silent', name, '--', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(chunk));
    const code = await new Promise((resolve) => child.once('close', (ended) => resolve(ended ?? 1)));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? 'PASS' : 'FAIL'}  ${call} [${seconds} s]\n${Buffer.concat(printed)}`);
    process.exitCode ||= code;
  }),
);
