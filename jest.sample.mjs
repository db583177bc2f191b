// For `npm test`: without what needs another program than Node, as test/support/sample.ts says.
// With CI=true nothing is left out.
import config from './jest.config.mjs';
import { allSuites, writeGroups } from './test/support/together/groups.mjs';

process.env.TEST_SAMPLE = 'true';

/** Suites of which almost every test starts a program. */
const programs = [
  'test/browser/',
  'test/cli/first-flow.test.ts',
  'test/http/npm-start.test.ts',
  'test/oidc/killed-sender.test.ts',
  'test/ops/private-data.test.ts',
  'test/storage/database-reasons.test.ts',
];
const isSampled = (suite) => process.env.CI === 'true' || !programs.some((path) => suite.startsWith(path));

export default {
  ...config,
  testSequencer: '<rootDir>/test/support/together/longest-first.mjs',
  testMatch: writeGroups('sample', allSuites().filter(isSampled)),
};
