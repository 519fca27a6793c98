/** Waits until it is known what became of a state that was put. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../api/api.ts';
import { Refusal } from '../api/refusal.ts';
import { Unanswered } from '../api/unanswered.ts';
import { historySince } from './history.ts';
import { type Fate, interestingFrom, judge, type PutState } from './judge.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
const PAUSE_GROWTH = 1.3;

export type FinalFate = Exclude<Fate, { kind: 'perhaps superseded' }>;

interface FollowOptions {
  timeoutMs: number;
  signal: AbortSignal;
  /** Of the key in the ingest bucket now; `null`: it cannot be told. Does not throw. */
  currentVersion: () => Promise<string | null>;
}

/** @returns `under way` when the time is over @throws Failure: the history cannot be seen any more; the signal's reason */
export async function follow(
  api: Api,
  key: string,
  put: PutState,
  { timeoutMs, signal, currentVersion }: FollowOptions,
): Promise<FinalFate> {
  const deadline = Date.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * PAUSE_GROWTH)) {
    const fate = await look(api, key, put, signal);
    if (fate.kind === 'perhaps superseded') {
      if ((await currentVersion()) === fate.by) return { kind: 'superseded' };
    } else if (fate.kind !== 'under way') return fate;
    const left = deadline - Date.now();
    if (left <= 0) return { kind: 'under way' };
    await delay(Math.min(pause, left), undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}

/** A service that is away for a while says nothing of the state. */
async function look(api: Api, key: string, put: PutState, signal: AbortSignal): Promise<Fate> {
  try {
    return judge((await historySince(api, key, interestingFrom(put), signal)).events, put);
  } catch (error) {
    if ((error instanceof Refusal || error instanceof Unanswered) && error.retryable) return { kind: 'under way' };
    throw error;
  }
}
