import { type Command, done, type Noun, refused } from '../command.ts';
import { day, facts, shownOnce } from '../text.ts';

const link: Command = {
  name: 'link',
  sentence: 'Make a new link for setting up the first admin; older ones stop working.',
  details:
    'For when the link that the first start prints is lost or has expired (SETUP_LINK_TTL). Refused once there is an admin. ' +
    'ISSUER must be what the server has.',
  examples: ['setup link'],
  async run(call) {
    const core = await call.core();
    const made = await core.setup.createSetupLink();
    if (made === undefined) {
      return refused('conflict', 'There is an admin already. Another one: accounts create <username> --admin.');
    }
    const url = `${core.config.issuer}/setup?token=${made.token}`;
    const text = `Open this link to make the first admin ${shownOnce}.\n\n${facts({ Link: url, 'Works until': day(made.expiresAt) })}`;
    return done({ url, expiresAt: made.expiresAt }, text);
  },
};

export const setup: Noun = { name: 'setup', sentence: 'The set-up of a new installation.', commands: [link] };
