import { type Command, done, type Noun, refused } from '../command.ts';
import { day, facts, shownOnce } from '../text.ts';

const link: Command = {
  name: 'link',
  sentence: 'Create a new link for setting up the first administrator. Older links stop working.',
  details:
    'Use it if the link that the first start printed is lost or has expired (SETUP_LINK_TTL). Refused once there is an administrator. ' +
    'ISSUER must be the same as on the server.',
  examples: ['setup link'],
  async run(call) {
    const core = await call.core();
    const made = await core.setup.createSetupLink();
    if (made === undefined) {
      return refused(
        'conflict',
        'There is already an administrator. To create another: accounts create <username> --admin.',
      );
    }
    const url = `${core.config.issuer}/setup?token=${made.token}`;
    const text = `Open this link to create the first administrator ${shownOnce}.\n\n${facts({ Link: url, 'Works until': day(made.expiresAt) })}`;
    return done({ url, expiresAt: made.expiresAt }, text);
  },
};

export const setup: Noun = { name: 'setup', sentence: 'The setup of a new installation.', commands: [link] };
