/** Handles a form that is sent twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { InteractionResults, StepContext } from '../kit/interaction/dispatcher.ts';

/**
 * After a double click, the browser shows the response to the second post. If the first post has finished this
 * interaction, the second one gets the same result. Waits for it up to three seconds.
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
