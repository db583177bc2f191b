// Starts the groups that take longest first, so that no worker waits for one of them at the end. jest knows durations
// only of its last run on this machine.
import { createRequire } from 'node:module';

const { default: Sequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

const longest = ['browser', 'api', 'cli', 'storage', 'oidc'];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = longest.findIndex((folder) => path.includes(`/${folder}-`));
      return at === -1 ? longest.length : at;
    };
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
}
