/** The risks of an application that an operator should see: missing protection, and promises that are not enforced. */
import { brokenPromises } from '../../core/clients/metadata/client-promises.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Call } from '../command.ts';
import { day } from '../text.ts';

interface Risk {
  /** For lists. */
  readonly word: string;
  readonly sentence: string;
}

export function risksOf({ metadata }: ClientRecord): Risk[] {
  const { unprotected_at: unprotected, allow_insecure_redirects: insecure } = metadata;
  return [
    ...(insecure === true
      ? [
          {
            word: 'insecure-redirects',
            sentence: 'Its codes may be sent unencrypted: allow_insecure_redirects is set.',
          },
        ]
      : []),
    ...(typeof unprotected === 'number'
      ? [
          {
            word: 'no-pkce-no-nonce',
            sentence: `It sent neither PKCE nor a nonce, last on ${day(unprotected)}: a stolen code would not be detected.`,
          },
        ]
      : []),
    ...brokenPromises(metadata).map((member) => ({
      word: 'not-enforced',
      sentence: `Its metadata has ${member}, which this server does not enforce.`,
    })),
  ];
}

/** The distinct words for the column of a list. */
export const riskWords = (client: ClientRecord): string[] => [...new Set(risksOf(client).map(({ word }) => word))];

/**
 * Reports metadata that was sent but is not used, one line each. Returns it for JSON output, which has no such lines.
 */
export function warn({ terminal }: Pick<Call, 'terminal'>, { dropped = [] }: { readonly dropped?: readonly string[] }) {
  for (const name of dropped) terminal.remark(`Not used: ${name}.`);
  return { dropped: [...dropped] };
}
