/** The way into src/copy: from a job to a copy that only has to be made the target's current object. */
import type { StorageClass } from '@aws-sdk/client-s3';
import { isClientSide } from '../encryption/index.ts';
import type { CopyDeps, CopyJob, Preparation, PreparedCopy } from './copy-job.ts';
import { copyObject } from './copy-object.ts';
import { openSource } from './decrypt-source.ts';
import { planCopy } from './plan.ts';
import { prepareParts } from './run.ts';
import { describeSource, storageClassOf } from './source-description.ts';
import { headSource, headWithChecksum, sourceTags } from './source-object.ts';
import { type LookedAt, prepareStream, requireFitting } from './stream.ts';
import { abandonUpload, keyOf } from './target-object.ts';

export { abandonUpload, targetEtag } from './target-object.ts';
export { abandonUploads } from './upload.ts';

/** @throws SealdropError of the source, the keys or the target; `too-large`; `time-out` when time ended without any progress */
export async function prepareCopy(deps: CopyDeps, job: CopyJob): Promise<Preparation> {
  const { ref, encryption } = job;
  if (isClientSide(encryption) || job.decrypt !== undefined) {
    const looked = await lookAtStreamed(deps, job);
    if (looked !== null) return prepareStream(deps, job, looked);
  }
  // The event's size is enough to see that one call is; all else is asked of the source.
  if (planCopy(ref.size, deps.limits).action === 'copy-object') return { ready: await prepareOneCall(deps, job) };
  const [{ head, checksumKnown }, tags] = await Promise.all([headWithChecksum(deps, job), sourceTags(deps, ref)]);
  const source = describeSource(head, tags, checksumKnown);
  const plan = planCopy(source.size, deps.limits, source.losses);
  switch (plan.action) {
    case 'copy-object':
      return { ready: await prepareOneCall(deps, job, source.storageClass) };
    case 'parts':
      return prepareParts(deps, job, source, plan);
    default:
      return plan satisfies never;
  }
}

/** `null`: its bytes need not pass through here after all. @throws SealdropError of the source and its keys; `too-large-for-rule` before any byte is read */
async function lookAtStreamed(deps: CopyDeps, job: CopyJob): Promise<LookedAt | null> {
  requireFitting(job.ref.size, job, deps);
  const { head } = await headWithChecksum(deps, job);
  requireFitting(head.ContentLength ?? 0, job, deps);
  if (job.decrypt === undefined) return { head, message: null };
  const message = await openSource(deps, job, head);
  return message !== null || isClientSide(job.encryption) ? { head, message } : null;
}

/** One CopyObject is all there is to it. @param sourceClass where it is known */
async function prepareOneCall(deps: CopyDeps, job: CopyJob, sourceClass?: StorageClass): Promise<PreparedCopy> {
  if (job.saved !== null) await abandonUpload(deps, keyOf(job), job.saved.uploadId);
  const storageClass = job.storageClass === 'keep' ? (sourceClass ?? (await classOf(deps, job))) : job.storageClass;
  return { commit: (condition) => copyObject(deps, job, storageClass, condition), abandon: async () => {} };
}

async function classOf(deps: CopyDeps, job: CopyJob): Promise<StorageClass> {
  return storageClassOf(await headSource(deps, job));
}
