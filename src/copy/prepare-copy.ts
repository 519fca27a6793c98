/** The way into src/copy: from a job to a copy that only has to be made the target's current object. */
import type { StorageClass } from '@aws-sdk/client-s3';
import type { CopyDeps, CopyJob, Preparation, PreparedCopy } from './copy-job.ts';
import { copyObject } from './copy-object.ts';
import { planCopy } from './plan.ts';
import { headSource } from './source-object.ts';
import { abandonUpload } from './target-object.ts';

export { abandonUpload, targetEtag } from './target-object.ts';

/** @throws SealdropError of the source, the keys or the target; `too-large`; `time-out` when time ended without any progress */
export async function prepareCopy(deps: CopyDeps, job: CopyJob): Promise<Preparation> {
  planCopy(job.ref.size, deps.limits);
  return { ready: await prepareOneCall(deps, job) };
}

/** One CopyObject is all there is to it. */
async function prepareOneCall(deps: CopyDeps, job: CopyJob, known?: StorageClass): Promise<PreparedCopy> {
  if (job.saved !== null) await abandonUpload(deps, job.ref.key, job.saved.uploadId);
  const storageClass = known ?? (await storageClassOf(deps, job));
  return { commit: (condition) => copyObject(deps, job, storageClass, condition), abandon: async () => {} };
}

/** S3 does not name the class of an object in STANDARD. */
async function storageClassOf(deps: CopyDeps, { ref, storageClass }: CopyJob): Promise<StorageClass> {
  return storageClass === 'keep' ? ((await headSource(deps, ref)).StorageClass ?? 'STANDARD') : storageClass;
}
