/** Makes a copy in transit: the very version that was asked for, opened with its customer key, under the stack's KMS key. The bytes never leave S3. */
import type { CopyDeps, CopyJob, PreparedCopy } from './copy/copy-job.ts';
import type { CopyLimits } from './copy/plan.ts';
import { abandonUpload, prepareCopy } from './copy/prepare-copy.ts';
import type { CustomerKey, ResolvedEncryption } from './encryption/index.ts';
import { asSealdropError, type ErrorCode, SealdropError } from './errors.ts';
import type { ObjectRef, TransitOrder } from './events/index.ts';
import { type ReadDeps, readObject } from './read-object.ts';
import { findCopy, isUsable, type TransitBucket, type TransitCopy } from './transit-copy.ts';
import { COPYING_SECONDS } from './transit-times.ts';

/** Of a source that is not there any more, or not in this state, nobody gets a copy. */
const SOURCE_IS_OVER: ErrorCode[] = ['not-found', 'source-gone', 'source-changed'];

/** Somebody else's copy took the place that ours was for: then there is one. */
const LOOKS = 3;

export interface MakeCopyDeps extends ReadDeps, TransitBucket {
  encryption: ResolvedEncryption<'sse-kms'>;
  limits: CopyLimits;
  /** No part is begun after it. */
  stop?: AbortSignal;
  /** Gives calls up. */
  signal?: AbortSignal;
  /** Milliseconds; for tests. */
  now?: () => number;
}

/**
 * @param replaced what has the copy's name already, too old to be handed out
 * @returns `null`: there is no such source any more
 * @throws SealdropError of the source, the keys or the transit bucket; `conflict` while somebody else is at it; `time-out` where one life is not enough;
 * `answer-mismatch`
 */
export async function makeCopy(
  order: TransitOrder,
  name: string,
  replaced: TransitCopy | null,
  deps: MakeCopyDeps,
): Promise<TransitCopy | null> {
  let uploadId: string | null = null;
  const copying: CopyDeps = {
    ...deps,
    targetBucket: deps.transitBucket,
    targetBucketOwner: deps.transitBucketOwner,
    ingestBucketOwner: deps.targetBucketOwner,
  };
  try {
    const job: CopyJob = {
      ref: refOf(order),
      sourceKey: await sourceKeyOf(order, deps),
      targetKey: name,
      encryption: deps.encryption,
      storageClass: 'STANDARD',
      saved: null,
      spared: async (listed) => {
        const oldest = (deps.now?.() ?? Date.now()) - COPYING_SECONDS * 1000;
        if (listed.some(({ initiated }) => initiated !== null && initiated.getTime() > oldest)) {
          throw new SealdropError('conflict', 'the object is being copied already');
        }
        return [];
      },
      began: async (upload) => {
        uploadId = upload.uploadId;
      },
    };
    const preparation = await prepareCopy(copying, job);
    if ('unfinished' in preparation) {
      const { copiedParts, parts } = preparation.unfinished;
      throw new SealdropError('time-out', `time ended with ${copiedParts} of ${parts} parts copied`);
    }
    return await commit(preparation.ready, name, replaced, deps);
  } catch (error) {
    // Nobody goes on with it: a copy that began long ago would be too old to be handed out.
    if (uploadId !== null) await abandonUpload(copying, name, uploadId);
    if (SOURCE_IS_OVER.includes(asSealdropError(error).code)) return null;
    throw error;
  }
}

async function commit(ready: PreparedCopy, name: string, replaced: TransitCopy | null, deps: MakeCopyDeps): Promise<TransitCopy> {
  let found = replaced;
  for (let look = 1; ; look += 1) {
    try {
      await ready.commit(found === null ? 'absent' : { etag: found.etag });
    } catch (error) {
      if (asSealdropError(error).code !== 'target-changed' || look === LOOKS) throw error;
      found = await findCopy(deps, name);
      if (found === null || !isUsable(found, deps.now?.() ?? Date.now())) continue;
      await ready.abandon();
      return found;
    }
    const made = await findCopy(deps, name);
    if (made === null) throw new SealdropError('target-changed', 'the copy is gone already');
    return made;
  }
}

/** S3 says which version of the key opens it. @throws SealdropError `source-changed`, `not-found`, or of the key */
async function sourceKeyOf({ bucket, key, versionId, etag }: TransitOrder, deps: MakeCopyDeps): Promise<CustomerKey> {
  const read = await readObject({ key, versionId, purpose: 'inspect', range: null }, deps);
  if (read?.object.etag?.replaceAll('"', '') !== etag) {
    throw new SealdropError('source-changed', 'the object was overwritten since it was asked for', { object: { bucket, key, versionId } });
  }
  const { mode, customerKeyVersion } = read.encryption;
  if (mode !== 'sse-c' || customerKeyVersion === undefined) {
    throw new SealdropError('malformed-event', 'the object is not under SSE-C: S3 serves it as it is');
  }
  return deps.customerKeys.version(customerKeyVersion);
}

function refOf({ bucket, key, versionId, etag, size, requestedAt, correlationId }: TransitOrder): ObjectRef {
  // Nothing orders copies in transit by their sources.
  return { bucket, key, versionId, etag, size, sequencer: '0', eventTime: requestedAt, correlationId };
}
