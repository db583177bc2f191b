/**
 * `npm test` leaves out what needs another program than Node, and runs the command line in one process. `npm run
 * test:all` runs everything, and so do CI and `npm run test:unit`.
 */
export const sampling = process.env.TEST_SAMPLE === 'true' && process.env.CI !== 'true';
