/** One CopyObject, pinned to its source and held to its answer. The bytes never leave S3. */
import { CopyObjectCommand, type CopyObjectResult, type S3Client } from '@aws-sdk/client-s3';
import { differences, type ResolvedEncryption, writeParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import type { ObjectRef } from '../events/index.ts';
import { translateCopyError } from './translate-copy-error.ts';

export interface StoredChecksum {
  algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
  value: string;
  type: string;
}

export interface CopyDeps {
  s3: S3Client;
  targetBucket: string;
  /** The accounts that must own target and source: a bucket of the same name that somebody else made is refused. */
  targetBucketOwner: string;
  ingestBucketOwner: string;
  /** Gives the call up as `time-out`. */
  signal?: AbortSignal;
}

/** What the target holds now, as its answer said. */
export interface StoredCopy {
  /** Without quotes. */
  etag: string;
  versionId?: string;
  checksum?: StoredChecksum;
}

/**
 * Copies with metadata and tags, under `encryption`, only if the source still is what the event named.
 * @throws SealdropError of the source, the keys or the target; `answer-mismatch` when S3 said anything but what was asked
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(deps: CopyDeps, ref: ObjectRef, encryption: ResolvedEncryption): Promise<StoredCopy> {
  const { s3, targetBucket, targetBucketOwner, ingestBucketOwner, signal } = deps;
  const answer = await s3
    .send(
      new CopyObjectCommand({
        Bucket: targetBucket,
        ExpectedBucketOwner: targetBucketOwner,
        Key: ref.key,
        CopySource: copySource(ref),
        ExpectedSourceBucketOwner: ingestBucketOwner,
        CopySourceIfMatch: ref.etag,
        MetadataDirective: 'COPY',
        TaggingDirective: 'COPY',
        // SSE-C objects cannot have annotations, and copying them needs rights of its own: the same answer for every mode.
        AnnotationDirective: 'EXCLUDE',
        ...writeParameters(encryption),
      }),
      signal && { abortSignal: signal },
    )
    .catch((error: unknown) => {
      throw translateCopyError(error, ref, targetBucket, 'keyArn' in encryption ? encryption.keyArn : undefined);
    });

  const wrong = differences(encryption, answer);
  const etag = answer.CopyObjectResult?.ETag;
  if (etag === undefined) wrong.push('CopyObjectResult: the answer has no ETag');
  if (wrong.length > 0 || etag === undefined) {
    throw new SealdropError('answer-mismatch', `the copy in ${targetBucket} is not as asked: ${wrong.join('; ')}`, { object: ref });
  }
  const checksum = storedChecksum(answer.CopyObjectResult ?? {});
  return {
    etag: etag.replaceAll('"', ''),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    ...(checksum === null ? {} : { checksum }),
  };
}

/** The SDK sends CopySource as it is: each segment is percent-encoded here, the slashes stay. */
function copySource(ref: ObjectRef): string {
  const path = [ref.bucket, ...ref.key.split('/')].map(encodeURIComponent).join('/');
  return ref.versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(ref.versionId)}`;
}

function storedChecksum(result: CopyObjectResult): StoredChecksum | null {
  const type = result.ChecksumType ?? 'FULL_OBJECT';
  for (const algorithm of ['CRC64NVME', 'CRC32C', 'CRC32', 'SHA256', 'SHA1'] as const) {
    const value = result[`Checksum${algorithm}`];
    if (value !== undefined) return { algorithm, value, type };
  }
  return null;
}
