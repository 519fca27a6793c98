/** What an object's place among the sources of its key may ask for after the fact. */
import { setTimeout as delay } from 'node:timers/promises';
import { adoptCopy } from './adopt-copy.ts';
import type { ObjectRecord } from './audit/object-record.ts';
import { displaced, inPlaceOf } from './displaced.ts';
import type { Skipped, Step, StepDeps } from './encryption-step.ts';
import { asSealdropError } from './errors.ts';
import { compareSequencers, type ObjectRef } from './events/index.ts';
import { standingOf } from './source-order.ts';

/** A newer source that was committed before is recorded within this time, unless its function died or waits for a large object of its batch. */
const LOOKS_AFTER_COMMIT = 8;
const LOOK_AGAIN_MS = 250;

/**
 * Only a message that comes again can have left a copy without a record, or in a newer one's place.
 * @returns the newer source that is to be copied again; `null`: none, or this one itself, if it has a `target` then
 * @throws SealdropError `newer-under-way`, or a retryable one before the last try: what is recorded is no failure
 */
export async function mend(step: Step, reason: Skipped['reason'], deps: StepDeps): Promise<ObjectRef | null> {
  const { request, ref, state } = step;
  const { newest } = state;
  if (newest === null || (request.delivery === 1 && !ref.continued)) return null;
  try {
    if (reason === 'superseded') return (await displaced(newest, deps)) === null ? null : refOf(newest);
    step.record = await adoptCopy(newest, deps);
    // An attempt that died may have stored something else than was asked, before it could see that.
    const inItsPlace = step.record === null ? await inPlaceOf(newest, deps) : null;
    if (inItsPlace === null) return null;
    // Whoever wrote what was found has claimed: in this order nothing newer is overlooked.
    const now = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    standingOf(ref, { ...now, newest: null });
    const standing = standingOf(ref, now);
    if (standing.action === 'skip' && standing.reason === 'encrypted already') step.target = inItsPlace;
    return null;
  } catch (error) {
    return orNothing(error, request.lastTry);
  }
}

/**
 * After an attempt that came too late: if its answer got lost, its copy may be there without a record.
 * @returns the newer source that is to be copied again; never this one itself, which would be asked for again and again
 * @throws SealdropError as `mend` does
 */
export async function mendAfterAttempt(step: Step, reason: Skipped['reason'], deps: StepDeps): Promise<ObjectRef | null> {
  const { ref, request } = step;
  try {
    step.state = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const { newest } = step.state;
    if (newest === null) return null;
    if (reason === 'superseded') return (await displaced(newest, deps)) === null ? null : refOf(newest);
    step.record = await adoptCopy(newest, deps);
    return null;
  } catch (error) {
    return orNothing(error, request.lastTry);
  }
}

function orNothing(error: unknown, lastTry: boolean): null {
  const { code, retryable } = asSealdropError(error);
  if (code === 'newer-under-way' || (retryable && !lastTry)) throw error;
  return null;
}

/**
 * Looks once more after a commit that replaced something: under SSE-S3 the condition may have held for other bytes than were meant.
 * A newer source that is being copied is waited for.
 * @returns whether a newer one is recorded @throws SealdropError `newer-under-way`
 */
export async function wasOvertaken(step: Step, deps: StepDeps): Promise<boolean> {
  const { ref } = step;
  for (let looks = 1; ; looks += 1) {
    step.state = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const { newest, newer } = step.state;
    if (newest !== null && compareSequencers(newest.source.sequencer, ref.sequencer) > 0) return true;
    if (newer === null) return false;
    if (looks === LOOKS_AFTER_COMMIT) standingOf(ref, { ...step.state, newest: null });
    await delay(LOOK_AGAIN_MS);
  }
}

/** The source that a record tells of, as its event named it. */
export function refOf({ key, size, source }: ObjectRecord): ObjectRef {
  return { key, size, ...source };
}
