// For `npm test`: what is the same thing over again is sampled, as test/support/sample.ts says. With CI=true it is not.
import config from './jest.config.mjs';

process.env.TEST_SAMPLE = 'true';

export default config;
