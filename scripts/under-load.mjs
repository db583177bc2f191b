// Runs an npm script again and again while eight processes keep the processors busy.
// It ends at the first round that fails.
//
//   node scripts/under-load.mjs 3 test
//   node scripts/under-load.mjs 20 test:unit --config jest.clocks.mjs
import { spawn } from 'node:child_process';

const [rounds = '3', script = 'test', ...words] = process.argv.slice(2);
const load = Array.from({ length: 8 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
process.once('exit', () => {
  for (const child of load) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

for (let round = 1; round <= Number(rounds) && !process.exitCode; round += 1) {
  const began = performance.now();
  const child = spawn('npm', ['run', script, '--', ...words], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${process.exitCode === 0 ? 'PASS' : 'FAIL'}  round ${round} of ${rounds}, ${seconds} s`);
}
process.exit();
