/** Parallel UploadPartCopy: every part pinned to the source, every answer held to what was asked. */
import { UploadPartCopyCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { differences, type EncryptionAnswer, keyParameters } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import type { CopyDeps, CopyJob } from './copy-job.ts';
import { type PartsPlan, partRange } from './plan.ts';
import { sourceParameters } from './source-object.ts';
import { targetOf } from './target-object.ts';
import { translatePartsError } from './translate-copy-error.ts';
import type { Upload } from './upload.ts';

/** S3 advises some 15 for each 10 Gbit/s that it moves itself: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html */
const PARALLEL_PARTS = 16;

/** Which key it is, was compared when the upload began, and is again when it is completed. */
const UNSAID: (keyof EncryptionAnswer)[] = ['SSEKMSKeyId', 'BucketKeyEnabled'];

/**
 * Copies the parts that are missing into `upload.parts`, until all are there, one fails or time ends. When it returns no call is under way.
 * @returns how many are new, and what ended it, unless that was time: SealdropError of the source, the keys or the target, `answer-mismatch`
 */
export async function copyParts(
  deps: CopyDeps,
  job: CopyJob,
  upload: Upload,
  plan: PartsPlan,
): Promise<{ copied: number; failure: unknown }> {
  const failed = new AbortController();
  const signal = deps.signal === undefined ? failed.signal : AbortSignal.any([deps.signal, failed.signal]);
  let failure: unknown = null;
  let copied = 0;

  function* missingParts() {
    for (let number = 1; number <= plan.parts; number += 1) {
      if (deps.stop?.aborted || signal.aborted) return;
      if (!upload.parts.has(number)) yield number;
    }
  }
  const copyOne = async (number: number) => {
    try {
      upload.parts.set(number, await copyPart(deps, job, upload.uploadId, plan, number, signal));
      copied += 1;
    } catch (error) {
      // The first one counts: it ends the others.
      if (signal.aborted) return;
      failure = error;
      failed.abort();
    }
  };
  await pMap(missingParts(), copyOne, { concurrency: deps.limits.parallelParts ?? PARALLEL_PARTS });
  return { copied, failure };
}

/** @returns the part's ETag @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
async function copyPart(
  deps: CopyDeps,
  job: CopyJob,
  uploadId: string,
  plan: PartsPlan,
  number: number,
  signal: AbortSignal,
): Promise<string> {
  const { first, last } = partRange(plan, number);
  const command = new UploadPartCopyCommand({
    ...targetOf(deps, job),
    UploadId: uploadId,
    PartNumber: number,
    ...sourceParameters(deps, job),
    CopySourceRange: `bytes=${first}-${last}`,
    ...keyParameters(job.encryption),
  });
  const answer = await deps.s3.send(command, { abortSignal: signal }).catch((error: unknown) => {
    throw translatePartsError(error, deps, job);
  });
  const wrong = differences(job.encryption, answer, UNSAID);
  const etag = answer.CopyPartResult?.ETag;
  if (etag === undefined) wrong.push('CopyPartResult: the answer has no ETag');
  if (wrong.length > 0 || etag === undefined) {
    throw new SealdropError('answer-mismatch', `part ${number} in ${deps.targetBucket} is not as asked: ${wrong.join('; ')}`, {
      object: job.ref,
    });
  }
  return etag;
}
