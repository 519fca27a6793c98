/** Whether anything is left to do for a state of an object. */
import type { ObjectRecords } from '../../src/audit/object-record.ts';
import type { AuditTrail } from '../../src/audit/trail.ts';
import { compareSequencers, type ObjectRef } from '../../src/events/index.ts';
import type { Stack } from '../stack.ts';

/** Events of one moment of a key: one an action. */
const EVENTS = 20;

export interface Evidence {
  records: Pick<ObjectRecords, 'latest'>;
  trail: Pick<AuditTrail, 'history'>;
  stack: Pick<Stack, 'targetBucket' | 'source'>;
}

/**
 * The object is encrypted in this state or a newer one and, where policy.yml says so, its source is deleted.
 * @throws SealdropError `audit-unavailable`
 */
export async function nothingLeft(ref: ObjectRef, evidence: Evidence): Promise<boolean> {
  const { alternativeKey } = ref;
  if (alternativeKey === undefined) return isOver(ref, 'or newer', evidence);
  // Which key is meant only S3 knows, and sequencers of different keys tell nothing about each other.
  return (await isOver(ref, 'exactly', evidence)) || isOver({ ...ref, key: alternativeKey }, 'exactly', evidence);
}

async function isOver(ref: ObjectRef, state: 'or newer' | 'exactly', { records, trail, stack }: Evidence): Promise<boolean> {
  const record = await records.latest(stack.targetBucket, ref.key);
  // Sequencers of different buckets tell nothing about each other either.
  if (record === null || record.source.bucket !== ref.bucket) return false;
  const order = compareSequencers(record.source.sequencer, ref.sequencer);
  if (order < 0 || (order > 0 && state === 'exactly')) return false;
  if (stack.source === 'keep') return true;
  const at = ref.eventTime;
  const { events } = await trail.history({ bucket: stack.targetBucket, key: ref.key, from: at, to: at, limit: EVENTS });
  return events.some(({ action, uniqueId }) => action === 'SourceDeleted' && uniqueId === ref.sequencer);
}
