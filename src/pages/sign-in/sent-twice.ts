/** A form that was sent twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { InteractionResults, StepContext } from '../kit/interaction/dispatcher.ts';

/**
 * An impatient finger sends one code, or one passkey's answer, twice, and the browser shows the answer to the second. Where the
 * first has signed in here, in this very interaction, the second goes where the first would have gone.
 */
export async function finishedMeanwhile({
  provider,
  interaction,
}: StepContext): Promise<InteractionResults | undefined> {
  for (let looks = 0; looks < 30; looks += 1) {
    const now = await provider.Interaction.find(interaction.uid);
    if (now?.result?.login) return now.result;
    await sleep(100);
  }
  return undefined;
}
