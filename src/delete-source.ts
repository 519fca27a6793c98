/** What policy.yml's `source: delete` means: the very version that was encrypted goes, and nothing else. */
import { DeleteObjectCommand, GetBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import type { Policy } from './policy/schema.ts';
import { type ErrorNames, translateAwsError } from './translate-aws-error.ts';

/** What S3 calls the version that was written without versioning: a later write may have taken its place under the same name. */
const NULL_VERSION = 'null';

/** The check is shared by invocations, so that it cannot end with one of them. */
const CHECK_TIMEOUT_MS = 10_000;

export interface DeleteSourceDeps {
  s3: S3Client;
  /** The account that must own the source's bucket. */
  ingestBucketOwner: string;
  policy: Policy;
  signal?: AbortSignal;
}

const DELETE_ERRORS: ErrorNames = {
  AccessDenied: ['source-kept', 'the source version may not be deleted'],
};

/**
 * Call it once the copy is recorded, or that of a newer source. Deleting a version that is gone succeeds.
 * @throws SealdropError `source-kept` or a retryable one
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
 */
export async function deleteSource(ref: ObjectRef, { s3, ingestBucketOwner, signal }: DeleteSourceDeps): Promise<void> {
  const { bucket, key, versionId } = ref;
  if (versionId === undefined || versionId === NULL_VERSION) {
    const message = 'the source has no version id of its own; deleting it could delete a newer object';
    throw new SealdropError('source-kept', message, { object: ref });
  }
  const command = new DeleteObjectCommand({ Bucket: bucket, ExpectedBucketOwner: ingestBucketOwner, Key: key, VersionId: versionId });
  await s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    throw translateAwsError(error, DELETE_ERRORS, ref);
  });
}

/**
 * Without versioning an overwritten source is gone before its copy, and a delete takes whatever is there.
 * @returns a check, once a bucket; it throws SealdropError `config-invalid` where sources are to be deleted from a bucket that is not versioned
 */
export function createVersioningCheck(deps: DeleteSourceDeps): (bucket: string) => Promise<void> {
  const checked = new Map<string, Promise<void>>();
  return (bucket) => {
    if (deps.policy.source === 'keep') return Promise.resolve();
    const known = checked.get(bucket) ?? check(bucket, deps);
    checked.set(bucket, known);
    // A failure is not kept: whoever switches versioning on need not wait for another function.
    known.catch(() => checked.delete(bucket));
    return known;
  };
}

async function check(bucket: string, { s3, ingestBucketOwner, signal }: DeleteSourceDeps): Promise<void> {
  const command = new GetBucketVersioningCommand({ Bucket: bucket, ExpectedBucketOwner: ingestBucketOwner });
  const { Status } = await s3.send(command, { abortSignal: signal ?? AbortSignal.timeout(CHECK_TIMEOUT_MS) }).catch((error: unknown) => {
    throw translateAwsError(error, {}, { bucket, key: '' });
  });
  if (Status === 'Enabled') return;
  throw new SealdropError(
    'config-invalid',
    `policy.yml says "source: delete", and bucket ${bucket} is not versioned (${Status ?? 'never was'}): switch versioning on, or say "source: keep"`,
  );
}
