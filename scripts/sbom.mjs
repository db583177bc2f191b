// Prints the production packages as a CycloneDX document: `npm run -s sbom`. Needs only the lock file, no network. Does
// not use `npm sbom --omit=dev`, which leaves out packages that tests need too, such as nodemailer.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };

const words = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
const whole = JSON.parse(
  execFileSync(process.execPath, [process.env.npm_execpath, ...words], {
    cwd: join(import.meta.dirname, '..'),
    maxBuffer: 64 * 1024 * 1024,
  }),
);

const { component } = whole.metadata;
// npm uses the name of the folder.
component.name = manifest.name;

const components = whole.components.filter(
  ({ properties }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
);
const refs = new Set([component, ...components].map((part) => part['bom-ref']));
const dependencies = whole.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => refs.has(name)) }));

console.log(JSON.stringify({ ...whole, components, dependencies }, undefined, 2));
