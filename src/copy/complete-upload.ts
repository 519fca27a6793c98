/** The end of an upload: its parts become the target's object, or it turns out that they did before. */
import { isDeepStrictEqual } from 'node:util';
import { CompleteMultipartUploadCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { differences, type EncryptionAnswer, keyParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { statusOf, translateAwsError } from '../translate-aws-error.ts';
import type { CopyDeps, CopyJob, StoredCopy, TargetCondition } from './copy-job.ts';
import { carriedHeaders, storageClassOf } from './source-description.ts';
import { storedChecksum } from './stored-checksum.ts';
import { abandonUpload, conditionParameters, keyOf, TARGET_ERRORS, targetOf } from './target-object.ts';
import { translatePartsError } from './translate-copy-error.ts';
import { algorithmOf, type Storing, type Upload } from './upload.ts';

/** CompleteMultipartUpload says nothing of SSE-C; every part did. */
const UNSAID: (keyof EncryptionAnswer)[] = ['SSECustomerAlgorithm', 'SSECustomerKeyMD5'];

/**
 * Has S3 compare size and checksum with the source's before anybody sees the object, and then compares its answer.
 * @throws SealdropError `target-changed`; `conflict` when the upload is of no use any more; of keys and target; `answer-mismatch`
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeUpload(
  deps: CopyDeps,
  job: CopyJob,
  upload: Upload,
  storing: Storing,
  condition: TargetCondition,
): Promise<StoredCopy> {
  const { s3, signal, targetBucket } = deps;
  const { source, plan } = storing;
  const algorithm = algorithmOf(storing);
  const command = new CompleteMultipartUploadCommand({
    ...targetOf(deps, job),
    UploadId: upload.uploadId,
    MultipartUpload: { Parts: partList(upload, plan.parts) },
    MpuObjectSize: plan.size,
    ChecksumType: 'FULL_OBJECT',
    ...(source.checksum === null ? {} : { [`Checksum${algorithm}`]: source.checksum.value }),
    ...conditionParameters(condition),
    ...keyParameters(job.encryption),
  });
  const answer = await s3.send(command, signal && { abortSignal: signal }).catch(async (error: unknown) => {
    const name = error instanceof Error ? error.name : '';
    // The source is not in this call: the only object that can be missing is the one of If-Match.
    if (name === 'PreconditionFailed' || name === 'NoSuchKey') {
      throw new SealdropError('target-changed', 'the target is not what it was when it was looked at', { object: job.ref, cause: error });
    }
    // After a lost answer the SDK completes a second time.
    const completed = name === 'NoSuchUpload' ? await completedCopy(deps, job, upload.uploadId, storing) : null;
    if (completed !== null) {
      const { foundSince: _, ...made } = completed;
      return made;
    }
    // S3 wants such an upload to begin anew.
    if (name === 'ConditionalRequestConflict') await abandonUpload(deps, keyOf(job), upload.uploadId);
    throw translatePartsError(error, deps, job);
  });
  if ('proof' in answer) return answer;

  const wrong = differences(job.encryption, answer, UNSAID);
  const checksum = storedChecksum(answer);
  const etag = answer.ETag;
  if (etag === undefined) wrong.push('ETag: the answer has none');
  if (checksum === null || checksum.algorithm !== algorithm || checksum.type !== 'FULL_OBJECT') {
    wrong.push(`Checksum${algorithm}: the answer has none of the whole object`);
  } else if (source.checksum !== null && checksum.value !== source.checksum.value) {
    wrong.push(`Checksum${algorithm}: not the source's`);
  }
  if (wrong.length > 0 || etag === undefined || checksum === null) {
    throw new SealdropError('answer-mismatch', `the copy in ${targetBucket} is not as asked: ${wrong.join('; ')}`, { object: job.ref });
  }
  return {
    etag: etag.replaceAll('"', ''),
    ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
    checksum,
    uploadId: upload.uploadId,
    proof: source.checksum === null ? 'parts-pinned' : 'checksum-compared',
  };
}

/**
 * The target's current object, if it is what the upload would have become: then it did, and whoever completed it could not tell.
 * `null`: it is not, or it cannot be known, since the source has no checksum to compare.
 * @throws SealdropError of the target, only where asking again may help
 */
export async function completedCopy(
  deps: CopyDeps,
  job: CopyJob,
  uploadId: string,
  storing: Storing,
): Promise<(StoredCopy & { uploadId: string }) | null> {
  const { s3, signal, targetBucket } = deps;
  if (storing.source.checksum === null) return null;
  const command = new HeadObjectCommand({ ...targetOf(deps, job), ChecksumMode: 'ENABLED', ...keyParameters(job.encryption) });
  const head = await s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    // There is none, or one under another key.
    if ([400, 403, 404, 405].includes(statusOf(error) ?? 0)) return null;
    throw translateAwsError(error, TARGET_ERRORS, { bucket: targetBucket, key: keyOf(job) });
  });
  if (head === null || head.ETag === undefined || !isCopy(head, job, storing)) return null;
  return {
    etag: head.ETag.replaceAll('"', ''),
    ...(head.VersionId === undefined ? {} : { versionId: head.VersionId }),
    checksum: storing.source.checksum,
    uploadId,
    proof: 'checksum-compared',
    // Objects of uploads are dated by when those began.
    ...(head.LastModified === undefined ? {} : { foundSince: head.LastModified.toISOString() }),
  };
}

function isCopy(head: HeadObjectCommandOutput, job: CopyJob, { plan, source, storageClass }: Storing): boolean {
  return (
    head.ContentLength === plan.size &&
    isDeepStrictEqual(storedChecksum(head), source.checksum) &&
    // Objects of uploads end in the number of their parts.
    (head.ETag ?? '').replaceAll('"', '').endsWith(`-${plan.parts}`) &&
    differences(job.encryption, head).length === 0 &&
    storageClassOf(head) === storageClass &&
    isDeepStrictEqual(carriedHeaders(head), source.headers) &&
    (head.ExpiresString ?? null) === source.expires &&
    (head.TagCount ?? source.tags.length) === source.tags.length &&
    // It is dated by when its upload began, which is after the source was there.
    (head.LastModified?.getTime() ?? 0) >= (source.lastModified?.getTime() ?? Number.POSITIVE_INFINITY)
  );
}

/** In ascending order, as S3 wants them. */
function partList({ parts }: Upload, count: number) {
  return Array.from({ length: count }, (_, index) => ({ PartNumber: index + 1, ETag: parts.get(index + 1) }));
}
