// Loaded first by `npm start` and `npm run cli`. An older Node cannot read the program's files, and the error for a
// missing package does not say what to do.
import { readdirSync } from 'node:fs';

const mistake = missing();
if (mistake !== undefined) {
  console.error(mistake);
  process.exit(1);
}

function missing() {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    return `Gatehouse needs Node 24 or later; this is ${process.version}. On Linux and Windows, \`npm ci\` installs it, unless run with --omit=optional. On other systems, install Node 24.`;
  }
  try {
    const packages = readdirSync(new URL('../node_modules/@node-rs', import.meta.url));
    if (packages.some((name) => name.startsWith('argon2-'))) return undefined;
    return 'The package for password hashing is incomplete: its binary is an optional package. Run `npm ci` without --omit=optional.';
  } catch {
    return 'The packages are not installed. Run `npm ci`.';
  }
}
