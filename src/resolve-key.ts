/** Which of two readings of an event's key names its object. */
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectRef } from './events/index.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

/**
 * EventBridge may form-encode keys or not: where that makes a difference, S3 is asked.
 * @returns the object under one key; the first where both or neither would do
 * @throws SealdropError of a retryable kind
 */
export async function resolveKey(
  ref: ObjectRef,
  deps: { s3: S3Client; ingestBucketOwner: string; signal?: AbortSignal },
): Promise<ObjectRef> {
  const { alternativeKey, ...first } = ref;
  if (alternativeKey === undefined || (await exists(first, deps))) return first;
  const second = { ...first, key: alternativeKey };
  return (await exists(second, deps)) ? second : first;
}

/** A HEAD that is refused for another reason says that something is there. */
async function exists(
  { bucket, key, versionId, etag }: ObjectRef,
  { s3, ingestBucketOwner, signal }: Parameters<typeof resolveKey>[1],
): Promise<boolean> {
  const head = new HeadObjectCommand({
    Bucket: bucket,
    ExpectedBucketOwner: ingestBucketOwner,
    Key: key,
    VersionId: versionId,
    IfMatch: etag,
  });
  try {
    await s3.send(head, signal && { abortSignal: signal });
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 405 || status === 412) return false;
    const translated = translateAwsError(error, {}, { bucket, key });
    if (translated.retryable && (status === undefined || status >= 500)) throw translated;
    return true;
  }
}
