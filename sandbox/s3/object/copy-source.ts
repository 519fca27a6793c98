/** The source of a copy: `x-amz-copy-source`, its conditions and its key. */

import type { Layers } from '../encryption/cipher.ts';
import { parseCustomerKey, SOURCE_KEY_PREFIX } from '../encryption/customer-key.ts';
import { invalidRequest } from '../errors.ts';
import { type Call, keyCaller } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { StoredObject } from '../store/objects.ts';
import { checkCopySource } from './conditions.ts';
import { parseCopySource } from './copy-source-header.ts';
import { findVersion, isStored, missing, parseVersionId } from './find.ts';

export interface CopySource {
  bucket: Bucket;
  record: StoredObject;
  /** As the request names it; `null` for the current one. */
  version: string | null;
  layers: Layers;
}

/**
 * Finds and opens the source that a copy names. Throws AwsError as a read of it would, and 412 when a condition fails.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
 */
export function openCopySource(call: Call): CopySource {
  const { room, request } = call;
  const { bucketName, key, versionId } = parseCopySource(String(request.headers['x-amz-copy-source']));
  const bucket = room.buckets.get(bucketName);
  const version = parseVersionId(bucket, versionId);
  const record = findVersion(call, bucket, key, version);
  if (!isStored(record)) {
    if (version === null) throw missing(call, bucket, key);
    throw invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
  }
  const customerKey = parseCustomerKey(request.headers, request.secure, SOURCE_KEY_PREFIX);
  const layers = room.encryption.open(record.sealed, { bucket: bucketName, key }, customerKey, keyCaller(call));
  checkCopySource(request.headers, record);
  return { bucket, record, version, layers };
}
