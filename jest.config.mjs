// Tests are ES modules like the program itself. Fault and hostile-input runs take minutes and have their own commands.
import { availableParallelism } from 'node:os';

export default {
  testEnvironment: '<rootDir>/test/support/together/environment.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/', '<rootDir>/test/hostile/'],
  modulePathIgnorePatterns: ['<rootDir>/test/clients/(node_modules|\\.python)/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  globalSetup: '<rootDir>/test/support/run-begins.ts',
  globalTeardown: '<rootDir>/test/support/run-ends.ts',
  // Something hangs then: no test waits so long, however busy the machine is.
  testTimeout: 120_000,
  // One more than two processors: a worker that drives a browser or another process mostly waits for it.
  maxWorkers: Math.max(3, availableParallelism()),
  watchman: false,
};
