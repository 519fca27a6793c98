/** Uploads of a key that others may be at. */
import type { ObjectRecords } from './audit/object-record.ts';

/** Those of a newer source that is under way, and of other attempts at the same one: each of these sees to its own. Throws `audit-unavailable`. */
export async function sparedUploads(
  key: string,
  sequencer: string,
  { records, targetBucket, signal }: { records: ObjectRecords; targetBucket: string; signal?: AbortSignal },
): Promise<string[]> {
  const { uploads, newer } = await records.look(targetBucket, key, sequencer, signal);
  return [...uploads, ...(newer?.upload === undefined ? [] : [newer.upload])].map(({ uploadId }) => uploadId);
}
