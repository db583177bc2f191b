// For `npm run test:all`: every suite, in groups that load their modules once.
// Each can still be run alone: npm run test:unit.
import config from './jest.config.mjs';
import { allSuites, writeGroups } from './test/support/together/groups.mjs';

export default {
  ...config,
  testSequencer: '<rootDir>/test/support/together/longest-first.mjs',
  testMatch: writeGroups('together', allSuites()),
};
