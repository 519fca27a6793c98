/** Brings the newest recorded source back into the target, after an older one's copy took its place. */
import { randomUUID } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectRecord, ObjectRecords } from './audit/object-record.ts';
import type { CopyDeps, SavedUpload } from './copy/copy-job.ts';
import { prepareCopy, targetEtag } from './copy/prepare-copy.ts';
import { type DecideDeps, decideEncryption } from './decide-encryption.ts';
import { describeEncryption } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import { sparedUploads } from './spared-uploads.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

export interface RestoreDeps extends DecideDeps, CopyDeps {
  records: ObjectRecords;
  policyFingerprint: string;
  /** Milliseconds; for tests. */
  now?: () => number;
}

/**
 * ETags under SSE-S3 follow from the bytes. Where a newer source brings former bytes back, an older one that was held up meanwhile finds
 * the ETag that it insists on, and replaces the newer one. Whoever may have done so calls this.
 * @returns the record of the new copy; `null`: the target is as recorded, or deleted, or its source is gone, or somebody else is at it
 * @throws SealdropError of keys and target, or a retryable one
 */
export async function restoreCopy(record: ObjectRecord, ref: ObjectRef, deps: RestoreDeps): Promise<ObjectRecord | null> {
  const { bucket, key, source } = record;
  const etag = await targetEtag(deps, key);
  if (etag === null || (etag === record.etag && (await isVersion(record, deps)))) return null;
  // In this order: whoever wrote what was found has claimed.
  const state = await deps.records.look(bucket, key, source.sequencer, deps.signal);
  if (state.newer !== null || state.newest?.source.sequencer !== source.sequencer) return null;
  const { now = Date.now } = deps;
  const claim = { bucket, key, sequencer: source.sequencer, id: randomUUID(), claimedAt: new Date(now()).toISOString() };
  const newest: ObjectRef = { ...ref, ...source, key, size: record.size };
  if (source.versionId === undefined) delete newest.versionId;
  try {
    await deps.records.claim([claim]);
    const encryption = await decideEncryption(newest, deps);
    const job = {
      ref: newest,
      encryption,
      storageClass: deps.policy.storageClass,
      // Of an earlier run that restores; the one that became the recorded copy is over.
      saved: state.uploads.find(({ uploadId }) => uploadId !== record.uploadId) ?? null,
      spared: () => sparedUploads(key, source.sequencer, deps),
      began: (upload: SavedUpload) => deps.records.claim([{ ...claim, upload }]),
    };
    const preparation = await prepareCopy(deps, job);
    if ('unfinished' in preparation) throw new SealdropError('time-out', 'time ended before the newest copy was restored', { object: ref });
    const encryptedAt = new Date().toISOString();
    const stored = await preparation.ready.commit({ etag });
    const { versionId: _version, uploadId: _upload, checksum: _checksum, ...rest } = record;
    return { ...rest, ...stored, encryption: describeEncryption(encryption), policyFingerprint: deps.policyFingerprint, encryptedAt };
  } catch (error) {
    if (error instanceof SealdropError && ['source-gone', 'source-changed', 'target-changed'].includes(error.code)) return null;
    throw error;
  }
}

/** Where there are versions, equal ETags can be told apart; no key is needed for what has such ETags. */
async function isVersion({ bucket, key, versionId, encryption }: ObjectRecord, deps: RestoreDeps): Promise<boolean> {
  if (versionId === undefined || encryption.mode !== 'sse-s3') return true;
  const head = new HeadObjectCommand({ Bucket: bucket, ExpectedBucketOwner: deps.targetBucketOwner, Key: key });
  const answer = await deps.s3.send(head, deps.signal && { abortSignal: deps.signal }).catch((error: unknown) => {
    if (statusOf(error) === 404) return null;
    throw translateAwsError(error, {}, { bucket, key });
  });
  return answer === null || answer.VersionId === versionId;
}
