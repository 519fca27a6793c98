/** The last write wins: what the other sources of a key mean for one of them. */
import type { KeyState } from './audit/object-record.ts';
import { SealdropError } from './errors.ts';
import { compareSequencers, type ObjectRef } from './events/index.ts';

export type Standing =
  /** Nothing newer is copied or about to be. */
  { action: 'copy' } | { action: 'skip'; reason: 'encrypted already' | 'superseded' };

/** @throws SealdropError `newer-under-way` while a newer source is claimed and not copied: whether it will be is not known yet */
export function standingOf(ref: ObjectRef, { newest, newer }: KeyState): Standing {
  const order = newest === null ? -1 : compareSequencers(newest.source.sequencer, ref.sequencer);
  // Whoever gives two states the same sequencer must not have one of them taken for the other.
  const isSame = newest?.source.etag === ref.etag && newest.source.versionId === ref.versionId;
  if (order === 0 && isSame) return { action: 'skip', reason: 'encrypted already' };
  if (order > 0) return { action: 'skip', reason: 'superseded' };
  if (newer !== null) {
    const message = `a newer state of the object (sequencer ${newer.sequencer}) is being encrypted since ${newer.claimedAt}`;
    throw new SealdropError('newer-under-way', message, { object: ref });
  }
  return { action: 'copy' };
}
