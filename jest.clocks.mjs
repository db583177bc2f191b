// The suites that use clocks, timers or limits, for runs under load:
// node scripts/under-load.mjs 20 test:unit --config jest.clocks.mjs
import { readFileSync } from 'node:fs';
import config from './jest.config.mjs';
import { allSuites, writeGroups } from './test/support/together/groups.mjs';

process.env.TEST_SAMPLE = 'true';

const tells = /setClock|stopClock|travel\(|eventually\(|setTimeout|sleep\(|performance\.now|_LIMIT/;
const usesTime = (suite) => tells.test(readFileSync(new URL(suite, import.meta.url), 'utf8'));
const suites = allSuites().filter((suite) => !suite.startsWith('test/browser/') && usesTime(suite));

export default { ...config, testMatch: writeGroups('clocks', suites) };
