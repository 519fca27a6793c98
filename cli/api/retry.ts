/** Another try, where it may help: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ */
import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from './refusal.ts';
import { Unanswered } from './unanswered.ts';

export const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Somebody waits: who asks for more is asked again by another command. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** @throws what the last try threw, or the signal's reason */
export async function retrying<Result>(attempt: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = tries < MAX_TRIES ? pauseBefore(error, tries) : null;
      if (pause === null || signal.aborted) throw error;
      await delay(pause, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
  }
}

/** @returns milliseconds; `null`: another try does not help */
function pauseBefore(error: unknown, tries: number): number | null {
  if (!(error instanceof Refusal || error instanceof Unanswered) || !error.retryable) return null;
  const jittered = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
  const { retryAfterMs } = error;
  if (retryAfterMs === null) return jittered;
  // Never earlier than asked, and not all at that moment.
  return retryAfterMs > LONGEST_RETRY_AFTER_MS ? null : retryAfterMs + jittered / 2;
}
