/** One object on its way into the target bucket: what is known of it, what became of it, and what is to be written of it. */
import { randomUUID } from 'node:crypto';
import type { AdoptDeps } from './adopt-copy.ts';
import type { AuditEvent } from './audit/event.ts';
import type { Claim, KeyState, ObjectRecord, ObjectRecords } from './audit/object-record.ts';
import type { CopyDeps, SavedUpload, StoredCopy, TargetCondition } from './copy/copy-job.ts';
import { uploadedAbove } from './copy/plan.ts';
import { abandonUpload, abandonUploads } from './copy/prepare-copy.ts';
import type { DecideDeps } from './decide-encryption.ts';
import { describeEncryption, type EncryptionDescription, type ResolvedEncryption } from './encryption/index.ts';
import { asSealdropError, type ErrorCode, type SealdropError } from './errors.ts';
import type { CopyProgress, ObjectRef } from './events/index.ts';
import { streams } from './policy/keys.ts';
import type { EncryptionMode } from './policy/schema.ts';

const ACTOR = 'function/encrypt';

/** An upload of a source that is not there any more is of no use. */
export const SOURCE_IS_OVER: ErrorCode[] = ['source-changed', 'source-gone'];

export interface StepDeps extends DecideDeps, CopyDeps, AdoptDeps {
  policyFingerprint: string;
  records: ObjectRecords;
  /** Throws where sources are to be deleted from a bucket that is not versioned. */
  requireVersioning: (bucket: string) => Promise<void>;
  /** Milliseconds; for tests. */
  now?: () => number;
}

export interface EncryptRequest {
  ref: ObjectRef;
  /** 1 at the first. */
  delivery: number;
  /** Its last delivery: a failure that could heal is recorded as final. */
  lastTry: boolean;
}

export type EncryptOutcome =
  | Encrypted
  /** The records show this state of the object, or a newer one. */
  | Skipped
  /** Time ended; parts that are copied stay. */
  | { status: 'unfinished'; ref: ObjectRef; progress: CopyProgress }
  /** A newer state of the object is being encrypted; whether this one is needed is not known yet. */
  | { status: 'waiting'; ref: ObjectRef; error: SealdropError }
  | Failed;

/** `displaced`: the newer source, where an older one's copy stands in its place. */
export interface Skipped {
  status: 'skipped';
  ref: ObjectRef;
  reason: 'encrypted already' | 'superseded';
  displaced: ObjectRef | null;
}

export interface Encrypted {
  status: 'encrypted';
  ref: ObjectRef;
  encryption: EncryptionDescription;
  durationMs: number;
}

/** `mode`: how it was to be encrypted, where that was decided before it failed. */
export interface Failed {
  status: 'failed';
  ref: ObjectRef;
  error: SealdropError;
  mode?: EncryptionMode;
  /** What was encrypted and recorded before something else failed. */
  encrypted?: Encrypted;
}

/** One request on its way; it is over once it has an outcome. */
export interface Step {
  request: EncryptRequest;
  ref: ObjectRef;
  state: KeyState;
  /** What its copy is to take the place of, unless it is what the newest record tells of. */
  target: TargetCondition | null;
  claim: Claim;
  outcome: EncryptOutcome | null;
  /** What earlier attempts began, or this one; the last first. */
  uploads: SavedUpload[];
  event: AuditEvent | null;
  record: ObjectRecord | null;
}

export function newStep(request: EncryptRequest, deps: StepDeps): Step {
  return {
    request,
    ref: request.ref,
    state: { newest: null, uploads: [], newer: null, newerUploads: [] },
    target: null,
    claim: claimOn(request.ref, deps),
    outcome: null,
    uploads: [],
    event: null,
    record: null,
  };
}

export function claimOn({ bucket, key, sequencer }: ObjectRef, { targetBucket, now = Date.now }: StepDeps): Claim {
  return { bucket: targetBucket, key, sourceBucket: bucket, sequencer, id: randomUUID(), claimedAt: new Date(now()).toISOString() };
}

export async function succeed(
  step: Step,
  { stored, at }: { stored: StoredCopy; at: string },
  encryption: ResolvedEncryption,
  durationMs: number,
  deps: StepDeps,
): Promise<void> {
  const { ref } = step;
  const description = describeEncryption(encryption);
  step.outcome = { status: 'encrypted', ref, encryption: description, durationMs };
  step.event = {
    ...eventOf(ref, deps),
    action: 'ObjectEncrypted',
    outcome: 'success',
    encryption: description,
    ...versionOf(stored),
    ...(stored.size === undefined ? {} : { size: stored.size, detail: 'decrypted from the S3 Encryption Client' }),
  };
  step.record = {
    bucket: deps.targetBucket,
    key: ref.key,
    encryption: description,
    ...stored,
    size: stored.size ?? ref.size,
    policyFingerprint: deps.policyFingerprint,
    source: {
      bucket: ref.bucket,
      etag: ref.etag,
      ...versionOf(ref),
      sequencer: ref.sequencer,
      eventTime: ref.eventTime,
      correlationId: ref.correlationId,
      ...(ref.requester === undefined ? {} : { requester: ref.requester }),
    },
    encryptedAt: at,
  };
  // A copy by one call leaves whatever upload there was.
  await abandon(step, stored.uploadId, deps);
}

export async function skip(step: Step, reason: Skipped['reason'], deps: StepDeps, displaced: ObjectRef | null = null): Promise<void> {
  step.outcome = { status: 'skipped', ref: step.ref, reason, displaced };
  await abandon(step, step.state.newest?.uploadId, deps);
}

export async function fail(step: Step, error: unknown, deps: StepDeps, mode?: EncryptionMode): Promise<void> {
  const { ref, request } = step;
  const outcome = failed(ref, error, mode);
  const { code, retryable, message } = outcome.error;
  if (code === 'newer-under-way') {
    step.outcome = { status: 'waiting', ref, error: outcome.error };
    return;
  }
  const final = !retryable || request.lastTry;
  step.outcome = outcome;
  if (final) step.event = { ...eventOf(ref, deps), action: 'EncryptionFailed', outcome: 'failure', code, detail: message };
  if (final || SOURCE_IS_OVER.includes(code)) await abandon(step, undefined, deps);
}

/** Of newer sources, and of other attempts at the same one: each of these sees to its own. */
export async function sparedUploads(ref: ObjectRef, deps: StepDeps): Promise<string[]> {
  const { uploads, newerUploads } = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
  return [...uploads, ...newerUploads].map(({ uploadId }) => uploadId);
}

export function failed(ref: ObjectRef, error: unknown, mode?: EncryptionMode): Failed {
  return { status: 'failed', ref, error: asSealdropError(error, ref), ...(mode === undefined ? {} : { mode }) };
}

export function modeOf(outcome: EncryptOutcome | null): EncryptionMode | undefined {
  if (outcome?.status === 'encrypted') return outcome.encryption.mode;
  return outcome?.status === 'failed' ? outcome.mode : undefined;
}

/** What every event of a source says, in each of its deliveries the same but for `recordedAt`. */
export function eventOf(ref: ObjectRef, deps: Pick<StepDeps, 'targetBucket'>) {
  return {
    bucket: deps.targetBucket,
    key: ref.key,
    actor: ACTOR,
    ...(ref.requester === undefined ? {} : { requester: ref.requester }),
    at: ref.eventTime,
    recordedAt: new Date().toISOString(),
    uniqueId: ref.sequencer,
    correlationId: ref.correlationId,
    size: ref.size,
    ...(ref.versionId === undefined ? {} : { sourceVersionId: ref.versionId }),
  };
}

/** Uploads that became no object: those of attempts that died, or that somebody else was faster than. @param became the one that did */
async function abandon({ request, ref, uploads, outcome }: Step, became: string | undefined, deps: StepDeps): Promise<void> {
  const left = uploads.filter(({ uploadId }) => uploadId !== became);
  await Promise.all(left.map(({ uploadId }) => abandonUpload(deps, ref.key, uploadId)));
  // Whoever died right after it began an upload has told nobody of it, and its message comes again; an answer that got lost told nobody either.
  const tried = outcome?.status === 'failed' && outcome.error.code !== 'too-large';
  const untold = (request.delivery > 1 || tried) && ref.size > uploadedAbove(deps.limits, streams(deps.policy));
  // What cannot be listed now is aborted by the bucket's lifecycle at last; what became of the object does not hang on it.
  if (untold) await abandonUploads(deps, ref.key, () => sparedUploads(ref, deps)).catch(() => {});
}

function versionOf({ versionId }: { versionId?: string }): { versionId?: string } {
  return versionId === undefined ? {} : { versionId };
}
