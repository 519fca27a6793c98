/** The moment when a write becomes visible: its row, the versions around it and its events in one transaction. */
import { randomUUID } from 'node:crypto';
import type { EventType } from '../bucket/notification-configuration.ts';
import { sendEvents } from '../events.ts';
import type { Call, Room } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { Retention, StoredObject } from '../store/objects.ts';
import { checkWrite } from './conditions.ts';
import { missing } from './find.ts';

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;

/** What the operation knows of the new object; the rest comes from the bucket. */
export type Draft = Pick<StoredObject, 'key' | 'size' | 'etag' | 'storage' | 'checksum' | 'headers' | 'tags' | 'sealed' | 'parts'>;

export interface Commit {
  draft: Draft;
  event: Exclude<EventType, `${string}*`>;
  /** Gives the new object its segments; runs in the transaction. */
  attach(made: StoredObject): void;
  /** Files that go when the commit fails. */
  files: string[];
}

/**
 * Stores a new object as the current version of its key.
 * Throws AwsError when the bucket is gone or a condition of the request does not hold; nothing of the write remains then.
 */
export function commit(call: Call, { draft, event, attach, files }: Commit): StoredObject {
  const { room, key } = call;
  let orphans: string[] = [];
  let record: StoredObject;
  try {
    record = room.transaction(() => {
      const bucket = room.buckets.get(call.bucket);
      checkCondition(call, bucket);
      const made: StoredObject = {
        ...draft,
        ...room.versions.identify(bucket),
        bucket: bucket.id,
        latest: true,
        modified: Date.now(),
        retention: defaultRetention(bucket),
      };
      orphans = room.versions.put(made);
      attach(made);
      sendEvents(call, bucket, { type: event, key, size: made.size, etag: made.etag, version: made.version, sequence: made.id });
      return made;
    });
  } catch (error) {
    room.blobs.remove(files);
    throw error;
  }
  room.blobs.remove(orphans);
  return record;
}

/**
 * Judges the request's condition on what it writes to: with the commit, and before bytes are moved for nothing.
 * The sandbox writes one at a time, so that S3's 409 for operations that collide does not come up.
 * Throws AwsError.
 */
export function checkCondition(call: Call, bucket: Bucket): void {
  const { room, request, key } = call;
  checkWrite(
    request.headers,
    () => room.objects.current(bucket.id, key),
    () => missing(call, bucket, key),
  );
}

/** S3's ETag is the MD5 of the bytes for SSE-S3 only; for every other mode it is nothing that can be computed. */
export function etagOf(mode: StoredObject['sealed']['mode'], md5: Buffer | null): string {
  return mode === 'sse-s3' && md5 ? md5.toString('hex') : randomUUID().replaceAll('-', '');
}

/** `x-amz-version-id`, which S3 leaves out when the bucket gives no version ids. */
export function newVersionHeader(room: Room, bucketName: string, { version }: StoredObject): Record<string, string> {
  const versioned = room.buckets.find(bucketName)?.settings.versioning?.Status === 'Enabled';
  return versioned ? { 'x-amz-version-id': version } : {};
}

function defaultRetention(bucket: Bucket): Retention | null {
  const rule = bucket.settings.objectLock?.Rule?.DefaultRetention;
  if (!rule) return null;
  const days = rule.Days ?? (rule.Years ?? 0) * YEAR_DAYS;
  return { mode: rule.Mode, until: Date.now() + days * DAY_MS };
}
