/** One CopyObject, pinned to its source and held to its answer. The bytes never leave S3. */
import { CopyObjectCommand, type StorageClass } from '@aws-sdk/client-s3';
import { differences, keyArnAtS3, writeParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import type { CopyDeps, CopyJob, StoredCopy, TargetCondition } from './copy-job.ts';
import { headSource, sourceParameters } from './source-object.ts';
import { storedChecksum } from './stored-checksum.ts';
import { conditionParameters, targetOf } from './target-object.ts';
import { translateCopyError } from './translate-copy-error.ts';

type OneCallJob = Pick<CopyJob, 'ref' | 'encryption' | 'sourceKey' | 'targetKey'>;

/** Somebody else's write of the target was under way. */
const OVERTAKEN = ['ConditionalRequestConflict', 'OperationAborted'];

/**
 * Copies with metadata and tags, under `job.encryption`, only if the source still is what the event named and the target what `condition` says.
 * A retry of the SDK whose first answer got lost finds the target changed, by itself: the caller looks again and copies once more.
 * @throws SealdropError `target-changed`; of the source, the keys or the target; `answer-mismatch` when S3 said anything but what was asked
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(
  deps: CopyDeps,
  job: OneCallJob,
  storageClass: StorageClass,
  condition: TargetCondition,
): Promise<StoredCopy> {
  const { s3, targetBucket, signal } = deps;
  const { ref, encryption } = job;
  const answer = await s3
    .send(
      new CopyObjectCommand({
        ...targetOf(deps, job),
        ...sourceParameters(deps, job),
        MetadataDirective: 'COPY',
        TaggingDirective: 'COPY',
        // SSE-C objects cannot have annotations, and copying them needs rights of its own: the same answer for every mode.
        AnnotationDirective: 'EXCLUDE',
        StorageClass: storageClass,
        ...conditionParameters(condition),
        ...writeParameters(encryption),
      }),
      signal && { abortSignal: signal },
    )
    .catch(async (error: unknown) => {
      if (await isOfTarget(error, deps, job, condition)) {
        throw new SealdropError('target-changed', 'the target is not what it was when it was looked at', { object: ref, cause: error });
      }
      throw translateCopyError(error, ref, targetBucket, keyArnAtS3(encryption));
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
    proof: 'source-pinned',
  };
}

/**
 * Whether it is the target that a refusal is about. S3 refuses source and target alike with 412 and names the condition that did not hold; a 404 names the key, which is the same on both sides. Where the answer leaves a doubt, the source is asked.
 * @throws SealdropError of the source
 */
async function isOfTarget(error: unknown, deps: CopyDeps, job: OneCallJob, condition: TargetCondition): Promise<boolean> {
  const name = error instanceof Error ? error.name : '';
  // S3 advises to ask for the ETag and to try again: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (If-Match)
  if (OVERTAKEN.includes(name)) return true;
  if (name !== 'PreconditionFailed' && (name !== 'NoSuchKey' || condition === 'absent')) return false;
  const failed = error instanceof Error && 'Condition' in error ? String(error.Condition).toLowerCase() : '';
  if (failed.startsWith('x-amz-copy-source')) return false;
  // Only the target is asked for none.
  if (failed !== 'if-none-match') await headSource(deps, job);
  return true;
}
