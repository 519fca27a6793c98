/** The object that a read is about. */

import type { AwsError } from '../../aws-error.ts';
import { requireAccess } from '../access/authorize.ts';
import { invalidArgument, methodNotAllowedOnMarker, noSuchKey, noSuchVersion } from '../errors.ts';
import type { Call } from '../room.ts';
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

/**
 * Finds the version that is asked for, or the current one.
 * Throws AwsError `NoSuchKey`, `NoSuchVersion`; 403 instead for who may not list the bucket (unverified for versions).
 */
export function findVersion(call: Call, bucket: Bucket, key: string, versionId: string | null): ObjectRecord {
  const { objects } = call.room;
  const record = versionId === null ? objects.current(bucket.id, key) : objects.version(bucket.id, key, versionId);
  if (record) return record;
  requireListing(call, bucket);
  throw versionId === null ? noSuchKey(key) : noSuchVersion(key, versionId);
}

/** As above, but what is found has bytes. Throws AwsError also for delete markers. */
export function findObject(call: Call, bucket: Bucket, key: string, versionId: string | null): StoredObject {
  const record = findVersion(call, bucket, key, versionId);
  if (isStored(record)) return record;
  throw versionId === null ? missing(call, bucket, key) : methodNotAllowedOnMarker(call.request.method);
}

/** What S3 says of a key that has no object: nothing to who may not list the bucket. */
export function missing(call: Call, bucket: Bucket, key: string): AwsError {
  requireListing(call, bucket);
  return noSuchKey(key);
}

/**
 * Throws AwsError 403, in the words of a refused listing, unless the caller may know which keys there are.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function requireListing(call: Call, { name }: Bucket): void {
  requireAccess(call, { action: 's3:ListBucket', bucket: name, key: '' });
}

export function isStored(record: ObjectRecord): record is StoredObject {
  return record.sealed !== null;
}
