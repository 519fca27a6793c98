/** The moment when a write becomes visible: its row, the versions around it and its events in one transaction. */
import { randomUUID } from 'node:crypto';
import type { EventType } from '../bucket/notification-configuration.ts';
import { sendEvents } from '../events.ts';
import type { Call, Room } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { Retention, StoredObject } from '../store/objects.ts';
import type { Upload } from '../store/uploads.ts';
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
  /** The upload that becomes the object; `null`: it is written by one request. */
  upload?: Upload | null;
}

/**
 * Stores a new object as the current version of its key.
 * Throws AwsError when the bucket is gone or a condition of the request does not hold; nothing of the write remains then.
 */
export function commit(call: Call, { draft, event, attach, files, upload = null }: Commit): StoredObject {
  const { room, key } = call;
  let orphans: string[] = [];
  let record: StoredObject;
  try {
    record = room.transaction(() => {
      const bucket = room.buckets.get(call.bucket);
      checkCondition(call, bucket, upload);
      const made: StoredObject = {
        ...draft,
        ...room.versions.identify(bucket),
        bucket: bucket.id,
        latest: true,
        // Objects of parts are dated by their beginning: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
        modified: upload?.initiated ?? Date.now(),
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
 * The sandbox writes one at a time: what S3 answers with 409 when two requests collide is a 412 or a 404 here.
 * Throws AwsError.
 */
export function checkCondition(call: Call, bucket: Bucket, upload: Upload | null = null): void {
  const { room, request, key } = call;
  checkWrite(request.headers, {
    current: () => room.objects.current(bucket.id, key),
    missing: () => missing(call, bucket, key),
    upload,
  });
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
