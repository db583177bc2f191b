/**
 * `npm test` runs a sample of what is the same thing over again: the same pages in every look, without scripts, on the other storage.
 * `npm run test:all` runs everything, and so do CI and `npm run test:unit`.
 */
export const sampling = process.env.TEST_SAMPLE === 'true' && process.env.CI !== 'true';

/** Whether a browser has JavaScript; the way without it is walked by test/browser/no-script.test.ts in any case. */
export const withAndWithoutScripts: readonly boolean[] = sampling ? [true] : [true, false];
