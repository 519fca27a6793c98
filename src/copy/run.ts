/** A copy in parts, from the look at its source to an upload that only has to be completed. */
import type { StorageClass } from '@aws-sdk/client-s3';
import { asSealdropError, type ErrorCode, SealdropError } from '../errors.ts';
import { completedCopy, completeUpload } from './complete-upload.ts';
import type { CopyDeps, CopyJob, Preparation, PreparedCopy, StoredCopy } from './copy-job.ts';
import { copyParts } from './copy-parts.ts';
import type { PartsPlan } from './plan.ts';
import type { SourceDescription } from './source-description.ts';
import { abandonUpload, keyOf } from './target-object.ts';
import { beginUpload, continues, findUpload, type Storing, type Upload } from './upload.ts';

const PASSING: ErrorCode[] = ['throttled', 'time-out', 'service-unavailable'];

/**
 * Goes on with `job.saved` where that is still of use, and otherwise begins an upload of its own.
 * @throws SealdropError of the source, the keys or the target; `answer-mismatch`; `time-out` when time ended before any part was copied
 */
export async function prepareParts(deps: CopyDeps, job: CopyJob, source: SourceDescription, plan: PartsPlan): Promise<Preparation> {
  const { ref } = job;
  if (source.unsayable !== null) {
    throw new SealdropError('metadata-not-copyable', `${source.size} bytes are copied in parts, which cannot carry ${source.unsayable}`, {
      object: ref,
    });
  }
  const storageClass: StorageClass = job.storageClass === 'keep' ? source.storageClass : job.storageClass;
  const storing: Storing = { plan, source, storageClass };
  const saved = await savedUpload(deps, job, storing);
  if (saved !== null && 'proof' in saved) return { ready: completedBefore(deps, job, saved.uploadId, storing) };

  if (saved === null && deps.stop?.aborted) throw new SealdropError('time-out', 'time ended before the upload began', { object: ref });
  const upload = saved ?? (await beginUpload(deps, job, storing));
  const { copied, failure } = await copyParts(deps, job, upload, plan);
  const progress = { uploadId: upload.uploadId, copiedParts: upload.parts.size, parts: plan.parts };
  if (progress.copiedParts === plan.parts) {
    return {
      ready: {
        commit: (condition) => completeUpload(deps, job, upload, storing, condition),
        abandon: () => abandonUpload(deps, keyOf(job), upload.uploadId),
      },
    };
  }
  // What passes by itself need not use up a delivery while the copy goes on.
  const passes = failure === null || PASSING.includes(asSealdropError(failure).code);
  if (copied > 0 && passes) return { unfinished: progress };
  if (failure !== null) throw failure;
  const message = `time ended before any part was copied; ${progress.copiedParts} of ${plan.parts} are there`;
  throw new SealdropError('time-out', message, { object: ref });
}

/** `null`: there is none that can be gone on with, nor one that was completed. */
async function savedUpload(deps: CopyDeps, job: CopyJob, storing: Storing): Promise<Upload | (StoredCopy & { uploadId: string }) | null> {
  if (job.saved === null) return null;
  const { uploadId } = job.saved;
  const found = continues(job.saved, job, storing.plan) ? await findUpload(deps, job, uploadId, storing) : 'unlike';
  if (found === 'gone') return completedCopy(deps, job, uploadId, storing);
  if (found !== 'unlike') return found;
  await abandonUpload(deps, keyOf(job), uploadId);
  return null;
}

/** Whoever completed the upload did not live to record it. */
function completedBefore(deps: CopyDeps, job: CopyJob, uploadId: string, storing: Storing): PreparedCopy {
  return {
    async commit() {
      const stored = await completedCopy(deps, job, uploadId, storing);
      if (stored === null) throw new SealdropError('conflict', 'the copy was overwritten before it was recorded', { object: job.ref });
      return stored;
    },
    abandon: async () => {},
  };
}
