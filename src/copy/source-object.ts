/** The source of a copy, as S3 tells of it without its bytes. */
import {
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  type Tag,
} from '@aws-sdk/client-s3';
import { keyParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import type { ObjectRef } from '../events/index.ts';
import { type ErrorNames, statusOf, translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob } from './copy-job.ts';
import { KMS_ERRORS } from './translate-copy-error.ts';

export type SourceDeps = Pick<CopyDeps, 's3' | 'ingestBucketOwner' | 'signal'>;
type Source = Pick<CopyJob, 'ref' | 'sourceKey'>;

/** The members by which a copy names its source: this version in this state, and the key that opens it. */
export function sourceParameters({ ingestBucketOwner }: CopyDeps, { ref, sourceKey }: Source) {
  const { SSECustomerAlgorithm, SSECustomerKey } = openedWith(sourceKey);
  return {
    CopySource: copySource(ref),
    ExpectedSourceBucketOwner: ingestBucketOwner,
    CopySourceIfMatch: ref.etag,
    ...(SSECustomerKey === undefined
      ? {}
      : { CopySourceSSECustomerAlgorithm: SSECustomerAlgorithm, CopySourceSSECustomerKey: SSECustomerKey }),
  };
}

/** @throws SealdropError `source-gone`, `source-changed`, `source-unreadable`, or what heals */
export function headSource(deps: SourceDeps, source: Source): Promise<HeadObjectCommandOutput> {
  return head(deps, source, {});
}

/**
 * With its checksum, unless that is under a key that cannot be used: whoever copies the source is then told by name what is wrong with the key.
 * @throws SealdropError as `headSource`
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-checksum-mode)
 */
export async function headWithChecksum(
  deps: SourceDeps,
  source: Source,
): Promise<{ head: HeadObjectCommandOutput; checksumKnown: boolean }> {
  try {
    return { head: await head(deps, source, { ChecksumMode: 'ENABLED' }), checksumKnown: true };
  } catch (error) {
    if (!(error instanceof SealdropError && error.code === 'source-unreadable')) throw error;
    return { head: await head(deps, source, {}), checksumKnown: false };
  }
}

/** @throws SealdropError `source-gone`, `source-unreadable`, or what heals */
export async function sourceTags(deps: SourceDeps, ref: ObjectRef): Promise<Tag[]> {
  const { s3, signal } = deps;
  const answer = await s3
    .send(new GetObjectTaggingCommand(located(deps, ref)), signal && { abortSignal: signal })
    .catch((error: unknown) => {
      throw translateAwsError(error, TAGGING_ERRORS, ref);
    });
  return answer.TagSet ?? [];
}

/** The SDK sends CopySource as it is: each segment is percent-encoded here, the slashes stay. */
function copySource(ref: ObjectRef): string {
  const path = [ref.bucket, ...ref.key.split('/')].map(encodeURIComponent).join('/');
  return ref.versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(ref.versionId)}`;
}

function head(
  deps: SourceDeps,
  { ref, sourceKey }: Source,
  mode: Pick<HeadObjectCommandInput, 'ChecksumMode'>,
): Promise<HeadObjectCommandOutput> {
  const { s3, signal } = deps;
  const command = new HeadObjectCommand({ ...located(deps, ref), IfMatch: ref.etag, ...mode, ...openedWith(sourceKey) });
  return s3.send(command, signal && { abortSignal: signal }).catch(async (error: unknown) => {
    // Expired credentials are refused like a source under SSE-C; a call that needs no key tells by name.
    if (statusOf(error) === 400) await sourceTags(deps, ref);
    throw headError(error, ref);
  });
}

const located = ({ ingestBucketOwner }: SourceDeps, ref: ObjectRef) => ({
  Bucket: ref.bucket,
  ExpectedBucketOwner: ingestBucketOwner,
  Key: ref.key,
  VersionId: ref.versionId,
});

const openedWith = (sourceKey: Source['sourceKey']) => (sourceKey ? keyParameters({ mode: 'sse-c', customerKey: sourceKey }) : {});

const TAGGING_ERRORS: ErrorNames = {
  ...KMS_ERRORS,
  NoSuchKey: ['source-gone', 'the source object does not exist'],
  NoSuchVersion: ['source-gone', 'the source version does not exist'],
  NoSuchBucket: ['source-gone', 'the ingest bucket does not exist'],
  MethodNotAllowed: ['source-gone', 'the source version is a delete marker'],
  AccessDenied: ['source-unreadable', "the source's tags may not be read"],
};

/** A HEAD has no body, so S3 says no more than a status. */
function headError(error: unknown, ref: ObjectRef): SealdropError {
  const status = statusOf(error);
  switch (status) {
    case 404:
    case 405:
      return new SealdropError('source-gone', 'the source object does not exist', { object: ref, cause: error });
    case 412:
      return new SealdropError('source-changed', 'the source object was overwritten since its event', { object: ref, cause: error });
    case 400:
    case 403:
      return new SealdropError('source-unreadable', `the source may not be read (HEAD: ${status})`, { object: ref, cause: error });
    default:
      return translateAwsError(error, {}, ref);
  }
}
