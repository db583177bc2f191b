// Gives a runner what jest's globals lack: a block whose content is declared by an import, which takes its time.
import { TestEnvironment } from 'jest-environment-node';
import './localhost.mjs';

export default class Together extends TestEnvironment {
  handleTestEvent(event, state) {
    if (event.name === 'setup') this.global.jestState = state;
  }
}
