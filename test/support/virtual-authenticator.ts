/** Chromium's virtual authenticator (WebAuthn level 3, section 11). */
import type { CDPSession, Page } from 'playwright-core';

export interface Device {
  readonly synced?: boolean;
  readonly usb?: boolean;
}

interface Authenticator {
  readonly session: CDPSession;
  readonly authenticatorId: string;
  /** Whether its person confirms what it is asked for, from now on. */
  confirms(yes: boolean): Promise<void>;
  count(): Promise<number>;
}

/**
 * A device of the person's, plugged into this tab. One that is built in is offered in the name field, and its person
 * takes what is offered at once; a security key waits for the button.
 */
export async function plugIn(page: Page, { synced = false, usb = true }: Device = {}): Promise<Authenticator> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: usb ? 'usb' : 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: synced,
      defaultBackupState: synced,
    },
  });
  return {
    session,
    authenticatorId,
    async confirms(yes) {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: yes });
    },
    async count() {
      return (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length;
    },
  };
}
