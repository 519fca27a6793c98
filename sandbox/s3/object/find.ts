/** The object that a read is about. */
import { invalidArgument, methodNotAllowedOnMarker, noSuchKey, noSuchVersion } from '../errors.ts';
import type { Room } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { ObjectRecord, StoredObject } from '../store/objects.ts';
import { isVersionId } from '../store/versions.ts';

/** Checks a `versionId` parameter; `null` when there is none. Throws AwsError when it cannot be one. */
export function parseVersionId(bucket: Bucket, versionId: string | null): string | null {
  if (versionId === null) return null;
  if (versionId === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', versionId);
  const possible = bucket.settings.versioning ? isVersionId(versionId) : versionId === 'null';
  if (!possible) throw invalidArgument('Invalid version id specified', 'versionId', versionId);
  return versionId;
}

/** Finds the version that is asked for, or the current one. Throws AwsError `NoSuchKey`, `NoSuchVersion`. */
export function findVersion(room: Room, bucket: Bucket, key: string, versionId: string | null): ObjectRecord {
  const record = versionId === null ? room.objects.current(bucket.id, key) : room.objects.version(bucket.id, key, versionId);
  if (record) return record;
  throw versionId === null ? noSuchKey(key) : noSuchVersion(key, versionId);
}

/** As above, but what is found has bytes. Throws AwsError also for delete markers. */
export function findObject(room: Room, bucket: Bucket, key: string, versionId: string | null, method: string): StoredObject {
  const record = findVersion(room, bucket, key, versionId);
  if (isStored(record)) return record;
  const refusal = versionId === null ? noSuchKey(key) : methodNotAllowedOnMarker(method);
  throw refusal;
}

export function isStored(record: ObjectRecord): record is StoredObject {
  return record.sealed !== null;
}
