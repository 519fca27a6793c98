/** The target of a copy: what is there, and on what condition it is replaced. */
import { AbortMultipartUploadCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { decodeFormKey } from '../events/index.ts';
import { type ErrorNames, translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob, TargetCondition } from './copy-job.ts';

/** An upload is also abandoned when the time of copies has ended; what is kept for other things must not be used up by it. */
const ABANDON_TIMEOUT_MS = 5_000;

export const TARGET_ERRORS: ErrorNames = {
  AccessDenied: ['target-denied', 'the target may not be looked at'],
  NoSuchBucket: ['target-missing', 'the target bucket does not exist'],
};

export const keyOf = ({ ref, targetKey = ref.key }: Pick<CopyJob, 'ref' | 'targetKey'>): string => targetKey;

/** The members by which every call of a copy names the target. */
export const targetOf = ({ targetBucket, targetBucketOwner }: CopyDeps, job: Pick<CopyJob, 'ref' | 'targetKey'>) => ({
  Bucket: targetBucket,
  ExpectedBucketOwner: targetBucketOwner,
  Key: keyOf(job),
});

/**
 * `null`: there is no such object. Asks by a listing, which needs no customer key.
 * @returns the ETag without quotes
 * @throws SealdropError of the target
 */
export async function targetEtag(deps: CopyDeps, key: string): Promise<string | null> {
  const { s3, targetBucket, targetBucketOwner, signal } = deps;
  const listing = new ListObjectsV2Command({
    Bucket: targetBucket,
    ExpectedBucketOwner: targetBucketOwner,
    Prefix: key,
    // Listings are in the order of UTF-8: nothing with this prefix comes before the key itself.
    MaxKeys: 1,
    // XML cannot carry every character that a key may have.
    EncodingType: 'url',
  });
  const answer = await s3.send(listing, signal && { abortSignal: signal }).catch((error: unknown) => {
    throw translateAwsError(error, TARGET_ERRORS, { bucket: targetBucket, key });
  });
  const found = (answer.Contents ?? []).find(({ Key }) => Key !== undefined && decodeFormKey(Key) === key);
  return found?.ETag?.replaceAll('"', '') ?? null;
}

/** Does not throw: what is left is aborted by the bucket's lifecycle at last. */
export async function abandonUpload(deps: CopyDeps, key: string, uploadId: string): Promise<void> {
  const { s3, targetBucket, targetBucketOwner } = deps;
  const abort = new AbortMultipartUploadCommand({
    Bucket: targetBucket,
    ExpectedBucketOwner: targetBucketOwner,
    Key: key,
    UploadId: uploadId,
  });
  await s3.send(abort, { abortSignal: AbortSignal.timeout(ABANDON_TIMEOUT_MS) }).catch(() => {});
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
export function conditionParameters(condition: TargetCondition): { IfMatch: string } | { IfNoneMatch: '*' } {
  return condition === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
}
