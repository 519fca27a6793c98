/** The source of a copy: `x-amz-copy-source`, its conditions and its key. */

import type { Layers } from '../encryption/cipher.ts';
import { parseCustomerKey, SOURCE_KEY_PREFIX } from '../encryption/customer-key.ts';
import { invalidArgument, invalidRequest, noSuchKey } from '../errors.ts';
import type { Call } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { StoredObject } from '../store/objects.ts';
import { checkCopySource } from './conditions.ts';
import { findVersion, isStored, parseVersionId } from './find.ts';

export interface CopySource {
  bucket: Bucket;
  record: StoredObject;
  layers: Layers;
}

/**
 * Finds and opens the source that a copy names. Throws AwsError as a read of it would, and 412 when a condition fails.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
 */
export function openCopySource({ room, request }: Call): CopySource {
  const { bucketName, key, versionId } = parseCopySource(String(request.headers['x-amz-copy-source']));
  const bucket = room.buckets.get(bucketName);
  const version = parseVersionId(bucket, versionId);
  const record = findVersion(room, bucket, key, version);
  if (!isStored(record)) {
    if (version === null) throw noSuchKey(key);
    throw invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
  }
  const customerKey = parseCustomerKey(request.headers, request.secure, SOURCE_KEY_PREFIX);
  const layers = room.encryption.open(record.sealed, { bucket: bucketName, key }, customerKey);
  checkCopySource(request.headers, record);
  return { bucket, record, layers };
}

/** `bucket/key?versionId=…`, URL-encoded, with or without a slash before it. */
export function parseCopySource(header: string): { bucketName: string; key: string; versionId: string | null } {
  const mark = header.lastIndexOf('?versionId=');
  const path = mark === -1 ? header : header.slice(0, mark);
  const versionId = mark === -1 ? null : header.slice(mark + '?versionId='.length);
  const decoded = decode(path, header).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) throw invalid(header);
  return { bucketName: decoded.slice(0, slash), key: decoded.slice(slash + 1), versionId };
}

function decode(path: string, header: string): string {
  try {
    return decodeURIComponent(path.replaceAll('+', ' '));
  } catch {
    throw invalid(header);
  }
}

function invalid(header: string) {
  return invalidArgument('Invalid copy source object key', 'x-amz-copy-source', header);
}
