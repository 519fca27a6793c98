/** A copy of ours that is the target's current object and has no record, while an equal one of the same source has. */
import { isDeepStrictEqual } from 'node:util';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectRecord } from './audit/object-record.ts';
import type { CopyDeps } from './copy/copy-job.ts';
import { targetEtag } from './copy/prepare-copy.ts';
import { storedChecksum } from './copy/stored-checksum.ts';
import { answeredEncryption, keyParameters } from './encryption/index.ts';
import type { SecretKeys } from './keys/secret-keys.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

export interface AdoptDeps extends CopyDeps {
  customerKeys: SecretKeys;
}

/**
 * Two deliveries of one event may both copy, and the one that copied last die before its record. Its copy is told by what S3 says of it:
 * size, checksum and encryption are those of the record.
 * @returns the record that it lacks; `null`: the target is as recorded, or deleted, or somebody else's
 * @throws SealdropError of the target or the customer key
 */
export async function adoptCopy(record: ObjectRecord, deps: AdoptDeps): Promise<ObjectRecord | null> {
  const { bucket, key, checksum, encryption } = record;
  const etag = await targetEtag(deps, key);
  // Under SSE-S3 equal copies have equal ETags, and only their versions tell them apart.
  const isRecorded = etag === record.etag && (encryption.mode !== 'sse-s3' || record.versionId === undefined);
  if (etag === null || isRecorded || checksum === undefined) return null;
  const version = encryption.customerKeyVersion;
  const parameters = version === undefined ? {} : keyParameters({ mode: 'sse-c', customerKey: await deps.customerKeys.version(version) });
  const head = await deps.s3
    .send(
      new HeadObjectCommand({
        Bucket: bucket,
        ExpectedBucketOwner: deps.targetBucketOwner,
        Key: key,
        IfMatch: etag,
        ChecksumMode: 'ENABLED',
        ...parameters,
      }),
      deps.signal && { abortSignal: deps.signal },
    )
    .catch((error: unknown) => {
      // Gone, changed again, or under a key that is not the record's.
      if ([400, 403, 404, 405, 412].includes(statusOf(error) ?? 0)) return null;
      throw translateAwsError(error, {}, { bucket, key });
    });
  if (head === null || (etag === record.etag && head.VersionId === record.versionId)) return null;
  const { mode, keyArn, bucketKey } = encryption;
  const alike =
    head.ContentLength === record.size &&
    isDeepStrictEqual(storedChecksum(head), checksum) &&
    isDeepStrictEqual(answeredEncryption(head), {
      mode,
      ...(keyArn === undefined ? {} : { keyArn }),
      ...(mode === 'sse-kms' ? { bucketKey: bucketKey ?? false } : {}),
    });
  if (!alike) return null;
  const { versionId: _version, uploadId: _upload, ...rest } = record;
  return {
    ...rest,
    etag,
    ...(head.VersionId === undefined ? {} : { versionId: head.VersionId }),
    proof: 'checksum-compared',
    // Behind the record, and before any other copy that may be taking its place by now.
    encryptedAt: new Date(Date.parse(record.encryptedAt) + 1).toISOString(),
  };
}
