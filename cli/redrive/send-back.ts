/** Each task ends sent or dropped, and its dead letters deleted; or untouched. */
import pMap from 'p-map';
import { giveBack, MAX_BATCH, type Queue, remove, send } from '../dead-letters/queue.ts';
import { handlesOf, type Task } from './collect.ts';
import { type Evidence, nothingLeft } from './nothing-left.ts';

const PARALLEL_CHUNKS = 4;

export type Fate =
  | 'sent'
  /** The record shows this state or a newer one. */
  | 'superseded'
  /** The queue did not take it; it is a dead letter still. */
  | 'refused'
  /** It came to an end before; it is a dead letter still. */
  | 'untouched';

export interface Settled {
  task: Task;
  fate: Fate;
}

export interface Queues {
  deadLetters: Queue;
  ingest: Queue;
}

/**
 * Sent first and deleted then: who is killed between the two doubles a message and loses none. What is not deleted is visible again in the end.
 * @param dryRun only says what would become of each
 * @returns what became of each task, and what kept the rest from being sent
 * @throws CannotLook, SealdropError: nothing could be sent
 */
export async function sendBack(
  tasks: readonly Task[],
  queues: Queues,
  evidence: Evidence,
  { signal, dryRun }: { signal: AbortSignal; dryRun: boolean },
): Promise<{ settled: Settled[]; trouble: Error | null }> {
  const hidden = new Set(handlesOf(tasks));
  const troubles: unknown[] = [];
  const settleChunk = async (chunk: Task[]): Promise<Settled[]> => {
    let settled: Settled[] = chunk.map((task) => ({ task, fate: 'untouched' }));
    if (troubles.length > 0 || signal.aborted) return settled;
    try {
      settled = await decide(chunk, queues, evidence, dryRun);
      if (dryRun) return settled;
      const over = handlesOf(settled.flatMap(({ task, fate }) => (fate === 'sent' || fate === 'superseded' ? [task] : [])));
      const left = new Set(await remove(queues.deadLetters, over));
      for (const handle of over) if (!left.has(handle)) hidden.delete(handle);
    } catch (error) {
      troubles.push(error);
    }
    return settled;
  };
  const settled = (await pMap(chunksOf(tasks), settleChunk, { concurrency: PARALLEL_CHUNKS })).flat();
  await giveBack(queues.deadLetters, [...hidden]);
  const [trouble = null] = troubles;
  if (trouble !== null && !settled.some(({ fate }) => fate === 'sent')) throw trouble;
  return { settled, trouble: trouble === null ? null : asError(trouble) };
}

async function decide(chunk: Task[], { ingest }: Queues, evidence: Evidence, dryRun: boolean): Promise<Settled[]> {
  const superseded = new Map(await Promise.all(chunk.map(async (task) => [task, await isSuperseded(task, evidence)] as const)));
  const due = chunk.filter((task) => !superseded.get(task));
  const arrived = dryRun
    ? due.map(() => true)
    : await send(
        ingest,
        due.map(({ body }) => body),
      );
  const fates = new Map(due.map((task, index): [Task, Fate] => [task, arrived[index] ? 'sent' : 'refused']));
  return chunk.map((task) => ({ task, fate: fates.get(task) ?? 'superseded' }));
}

/** A message with several objects is superseded only if all of them are. */
async function isSuperseded({ refs }: Task, evidence: Evidence): Promise<boolean> {
  if (refs.length === 0) return false;
  return (await Promise.all(refs.map((ref) => nothingLeft(ref, evidence)))).every(Boolean);
}

function chunksOf(tasks: readonly Task[]): Task[][] {
  return Array.from({ length: Math.ceil(tasks.length / MAX_BATCH) }, (_, index) => tasks.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH));
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
