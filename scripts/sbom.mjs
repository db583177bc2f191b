// Prints what is installed in production as a CycloneDX document: `npm run -s sbom`. It needs the
// lock file alone, no network.
// `npm sbom --omit=dev` is not used: it leaves out the packages that the tests need as well, such as nodemailer.
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
// npm names the folder.
component.name = manifest.name;

const components = whole.components.filter(
  ({ properties }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
);
const refs = new Set([component, ...components].map((part) => part['bom-ref']));
const dependencies = whole.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => refs.has(name)) }));

console.log(JSON.stringify({ ...whole, components, dependencies }, undefined, 2));
