/** Makes a prepared copy the target's current object, unless a newer source is or is about to be. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectRecords } from './audit/object-record.ts';
import type { CopyDeps, PreparedCopy, StoredCopy, TargetCondition } from './copy/copy-job.ts';
import { targetEtag } from './copy/prepare-copy.ts';
import { SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import { type Standing, standingOf } from './source-order.ts';

/** Each round loses against one write of somebody else; whoever loses so often comes back by its queue. */
const MAX_ROUNDS = 6;
const LONGEST_PAUSE_MS = 200;

export interface CommitDeps extends CopyDeps {
  records: ObjectRecords;
}

/**
 * Everybody claims a source before they commit its copy. So the target is looked at first and the claims after it: who wrote what
 * was found has claimed, and whoever writes later changes the ETag that the commit insists on. An older source then never takes a newer one's place.
 * @param first what the target was when the source was looked at
 * @returns the stored copy, or why there is none to make; `at`: ISO 8601, before it was committed and after whatever it replaced was,
 * so that the records of two copies of one source stand in the order of the copies; a copy that was
 * found and not made is dated before whatever may be taking its place by now; `replaced`: something was there before
 * @throws SealdropError `newer-under-way`, `conflict`, and what the commit throws
 */
export async function commitInOrder(
  prepared: PreparedCopy,
  ref: ObjectRef,
  first: TargetCondition,
  deps: CommitDeps,
): Promise<{ stored: Omit<StoredCopy, 'foundSince'>; at: string; replaced: boolean } | Extract<Standing, { action: 'skip' }>> {
  let condition = first;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const at = new Date().toISOString();
    try {
      const { foundSince, ...stored } = await prepared.commit(condition);
      return { stored, at: foundSince ?? at, replaced: condition !== 'absent' };
    } catch (error) {
      if (!(error instanceof SealdropError && error.code === 'target-changed')) throw error;
    }
    if (round > 0) await delay(LONGEST_PAUSE_MS * Math.random());
    const etag = await targetEtag(deps, ref.key);
    const standing = standingOf(ref, await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal));
    if (standing.action === 'skip') return standing;
    condition = etag === null ? 'absent' : { etag };
  }
  throw new SealdropError('conflict', `others wrote the object ${MAX_ROUNDS} times meanwhile`, { object: ref });
}
