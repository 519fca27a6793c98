/** What became of what was sent back. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import type { ObjectRef } from '../../src/events/index.ts';
import { readIngestLetter, stateOf } from '../dead-letters/letter.ts';
import { countMessages, type Queue } from '../dead-letters/queue.ts';
import { readThrough } from '../dead-letters/read-through.ts';
import { type Evidence, nothingLeft } from './nothing-left.ts';

/** Objects that are looked up in one round; the others are in later ones. */
const MAX_LOOKS = 500;
const PARALLEL_LOOKS = 16;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const PAUSE_GROWTH = 1.5;
/** SQS counts approximately: so often the dead letters are read although it counts none. */
const READ_EVERY_MS = 15_000;
/** Dead letters are hidden from everybody while they are read: for so much longer nobody hides them again. */
const QUIET_TIMES = 2;
/** Rounds in a row that failed, until no more are tried. */
const MAX_TROUBLES = 5;
/** Our clock and SQS's may differ by as much as a signature allows. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

export interface SentObject {
  ref: ObjectRef;
  /** Why it had failed. */
  code: string;
}

export type Fate =
  | { kind: 'encrypted' }
  | { kind: 'failed'; code: string; cause: string; nextStep: string }
  /** Neither, so far. */
  | { kind: 'under way' };

export interface Followed extends SentObject {
  fate: Fate;
}

interface FollowOptions {
  /** Ids of dead letters from before. */
  seenIds: ReadonlySet<string>;
  /** Milliseconds, as `Date.now` counts: what was a dead letter before says nothing of what was sent. */
  sentAfter: number;
  timeoutMs: number;
  /** Ends waiting. */
  signal: AbortSignal;
  /** Told at each look how many are over. */
  progress: (over: number) => void;
}

/**
 * Waits until each object is encrypted in its state or a newer one, or is a dead letter again, or the time is over. In the order of `sent`.
 * @returns what is known of each, and what ended the following before its time
 */
export async function follow(
  sent: readonly SentObject[],
  deadLetters: Queue,
  evidence: Evidence,
  { seenIds, sentAfter, timeoutMs, signal, progress }: FollowOptions,
): Promise<{ followed: Followed[]; trouble: Error | null }> {
  const followed = sent.map((object): Followed => ({ ...object, fate: { kind: 'under way' } }));
  const byState = new Map(followed.flatMap((object) => statesOf(object.ref).map((state) => [state, object] as const)));
  /** Who was looked at last comes last. */
  let open = followed;
  const deadline = Date.now() + timeoutMs;
  let nextRead = Date.now() + READ_EVERY_MS;
  let quietUntil = 0;
  const isOpen = ({ fate }: Followed) => fate.kind === 'under way';

  const look = async (objects: Followed[]) => {
    const well = async (object: Followed) => {
      if (!signal.aborted && (await nothingLeft(object.ref, evidence))) object.fate = { kind: 'encrypted' };
    };
    await pMap(objects, well, { concurrency: PARALLEL_LOOKS });
  };

  const readDeadLetters = async () => {
    const failed = new Map<Followed, Fate>();
    const visit = (message: Message) => {
      const { messageId, states, sentMs, code, cause, nextStep } = readIngestLetter(message);
      const isNew = !seenIds.has(messageId) && sentMs > sentAfter - CLOCKS_DIFFER_MS;
      for (const state of isNew ? states : []) {
        const object = byState.get(state);
        if (object !== undefined && isOpen(object)) failed.set(object, { kind: 'failed', code, cause, nextStep });
      }
      return 'give back' as const;
    };
    const started = Date.now();
    await readThrough(deadLetters, visit, { signal });
    const now = Date.now();
    quietUntil = now + QUIET_TIMES * (now - started);
    nextRead = Math.max(quietUntil, now + READ_EVERY_MS);
    // A double may be a dead letter of an object that is well.
    await look([...failed.keys()]);
    for (const [object, fate] of failed) if (isOpen(object)) object.fate = fate;
  };

  const round = async (last: boolean) => {
    const looked = open.slice(0, MAX_LOOKS);
    await look(looked);
    open = [...open.slice(MAX_LOOKS), ...looked].filter(isOpen);
    if (open.length === 0 || signal.aborted) return;
    const now = Date.now();
    const due = last || now >= nextRead || (now >= quietUntil && (await countMessages(deadLetters)).visible > 0);
    if (due) await readDeadLetters();
    open = open.filter(isOpen);
  };

  let troubles: Error[] = [];
  for (let pause = FIRST_PAUSE_MS; ; ) {
    const last = Date.now() > deadline;
    const before = open.length;
    try {
      await round(last);
      troubles = [];
    } catch (error) {
      troubles.push(error instanceof Error ? error : new Error(String(error)));
    }
    progress(followed.length - open.length);
    const trouble = last || troubles.length > MAX_TROUBLES ? (troubles[0] ?? null) : null;
    if (open.length === 0 || last || trouble !== null || signal.aborted) return { followed, trouble };
    pause = open.length < before ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pause * PAUSE_GROWTH);
    await delay(Math.max(0, Math.min(pause, deadline - Date.now())), undefined, { signal }).catch(() => {});
  }
}

/** A continuation of the copy names the key that S3 knows. */
function statesOf(ref: ObjectRef): string[] {
  const { bucket, key, alternativeKey, sequencer } = ref;
  return [key, ...(alternativeKey === undefined ? [] : [alternativeKey])].map((name) => stateOf({ bucket, key: name }, sequencer));
}
