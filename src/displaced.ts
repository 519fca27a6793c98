/** Whether a recorded copy is still the target's current object, where its ETag alone cannot tell. */
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectRecord } from './audit/object-record.ts';
import type { CopyDeps, TargetCondition } from './copy/copy-job.ts';
import { targetEtag } from './copy/prepare-copy.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

/**
 * ETags under SSE-S3 follow from the bytes. Where a newer source brings former bytes back, an older one that was held up meanwhile finds
 * the ETag that it insists on, and replaces the newer one. Other modes have ETags that come once.
 * @returns what stands in the copy's place; `null`: nothing does, or the object was deleted, or it is of a mode that this cannot happen to
 * @throws SealdropError of the target
 */
export async function displaced(record: ObjectRecord, deps: CopyDeps): Promise<Exclude<TargetCondition, 'absent'> | null> {
  return record.encryption.mode === 'sse-s3' ? inPlaceOf(record, deps) : null;
}

/** The same of any mode: for whoever may have put something else there. */
export async function inPlaceOf(record: ObjectRecord, deps: CopyDeps): Promise<Exclude<TargetCondition, 'absent'> | null> {
  const { bucket, key, versionId, encryption } = record;
  const etag = await targetEtag(deps, key);
  if (etag === null) return null;
  if (etag !== record.etag) return { etag };
  if (versionId === undefined || encryption.mode !== 'sse-s3') return null;
  const head = new HeadObjectCommand({ Bucket: bucket, ExpectedBucketOwner: deps.targetBucketOwner, Key: key });
  const answer = await deps.s3.send(head, deps.signal && { abortSignal: deps.signal }).catch((error: unknown) => {
    // Deleted meanwhile, or replaced by something under a customer key.
    if ([400, 404].includes(statusOf(error) ?? 0)) return null;
    throw translateAwsError(error, {}, { bucket, key });
  });
  return answer === null || answer.VersionId === versionId ? null : { etag };
}
