// Prints the notes of one version from CHANGELOG.md: `npm run -s release-notes -- 0.2.0`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

if (import.meta.main) {
  const [version, ...more] = process.argv.slice(2);
  if (version === undefined || more.length > 0) {
    console.error('Name one version: npm run -s release-notes -- 0.2.0');
    process.exit(2);
  }
  const { notes, versions } = releaseNotes(readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8'), version);
  if (notes === undefined) {
    console.error(`CHANGELOG.md has no version ${version}. It has ${versions.join(', ')}.`);
    process.exit(1);
  }
  console.log(notes);
}

/** A section begins with `## 0.2.0 (…)`. Each paragraph becomes one line, because release pages keep line breaks. */
export function releaseNotes(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const versionOf = (section) => section.split(/\s/, 1)[0];
  const section = sections.find((each) => versionOf(each) === version);
  const notes = section
    ?.slice(section.indexOf('\n'))
    .trim()
    .replace(/(?<!\n)\n(?!\n|\s*[-#|])\s*/g, ' ');
  return { notes, versions: sections.map(versionOf) };
}
