/** A browser and a server for the tests of a suite. */
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { closeVisitors, launchChromium } from './chromium.ts';
import { startServer, type TestServer } from './server.ts';

export interface Stage {
  readonly browser: Browser;
  readonly server: TestServer;
}

/**
 * Opens both before the first test, closes the windows after each one, and both after the last. `set`: takes them over,
 * and prepares what all tests of the suite share. `options`: of the server.
 */
export function onStage(
  set: (stage: Stage) => void | Promise<void>,
  options?: Parameters<typeof startServer>[0],
): void {
  let stage: Stage | undefined;
  beforeAll(async () => {
    const [browser, server] = await Promise.all([launchChromium(), startServer(options)]);
    stage = { browser, server };
    await set(stage);
  });
  afterEach(() => stage && closeVisitors(stage.browser));
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.server.close();
  });
}
