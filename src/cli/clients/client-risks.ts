/** What an operator should know of an application before anything else: what it does without, and what it only says. */
import { brokenPromises } from '../../core/clients/client-promises.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Call } from '../command.ts';
import { day } from '../text.ts';

export interface Risk {
  /** For lists. */
  readonly word: string;
  readonly sentence: string;
}

export function risksOf({ metadata }: ClientRecord): Risk[] {
  const { unprotected_at: unprotected, allow_insecure_redirects: insecure } = metadata;
  return [
    ...(insecure === true
      ? [{ word: 'insecure-redirects', sentence: 'Its codes may travel unencrypted: allow_insecure_redirects is set.' }]
      : []),
    ...(typeof unprotected === 'number'
      ? [
          {
            word: 'no-pkce-no-nonce',
            sentence: `It sent neither PKCE nor a nonce, last on ${day(unprotected)}: a stolen code is not noticed.`,
          },
        ]
      : []),
    ...brokenPromises(metadata).map((member) => ({
      word: 'not-enforced',
      sentence: `It was registered with ${member}, which this server does not enforce.`,
    })),
  ];
}

/** The words of a list's column, each once. */
export const riskWords = (client: ClientRecord): string[] => [...new Set(risksOf(client).map(({ word }) => word))];

/** Says what was asked for and is not used, a line for each. The result is for the answer in JSON, beside which no line is shown. */
export function warn({ terminal }: Pick<Call, 'terminal'>, { dropped = [] }: { readonly dropped?: readonly string[] }) {
  for (const name of dropped) terminal.remark(`Not used: ${name}.`);
  return { dropped: [...dropped] };
}
