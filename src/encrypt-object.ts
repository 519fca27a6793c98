/** One object on its way into the target bucket: looked at, copied in order, and what is to be written of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type AdoptDeps, adoptCopy } from './adopt-copy.ts';
import type { AuditEvent } from './audit/event.ts';
import type { Claim, KeyState, ObjectRecord, ObjectRecords } from './audit/object-record.ts';
import { commitInOrder } from './commit-in-order.ts';
import type { CopyDeps, SavedUpload, StoredCopy, TargetCondition } from './copy/copy-job.ts';
import { abandonUpload, abandonUploads, prepareCopy } from './copy/prepare-copy.ts';
import { type DecideDeps, decideEncryption } from './decide-encryption.ts';
import { displaced } from './displaced.ts';
import { describeEncryption, type EncryptionDescription, type ResolvedEncryption } from './encryption/index.ts';
import { asSealdropError, type ErrorCode, SealdropError } from './errors.ts';
import { type CopyProgress, compareSequencers, type ObjectRef } from './events/index.ts';
import type { EncryptionMode } from './policy/schema.ts';
import { resolveKey } from './resolve-key.ts';
import { standingOf } from './source-order.ts';

const ACTOR = 'function/encrypt';

/** A newer source that was committed before is recorded within this time, unless its function died or waits for a large object of its batch. */
const LOOKS_AFTER_COMMIT = 8;
const LOOK_AGAIN_MS = 250;

/** Each run that finds its upload gone begins another: beyond this, somebody must look. */
const MAX_UPLOADS = 8;

/** An upload of a source that is not there any more is of no use. */
const SOURCE_IS_OVER: ErrorCode[] = ['source-changed', 'source-gone'];

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

/** Asks the records first: a step that comes back with an outcome is over. Does not throw. */
export async function lookAt(request: EncryptRequest, deps: StepDeps): Promise<Step> {
  const step: Step = {
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
  try {
    await deps.requireVersioning(request.ref.bucket);
    step.ref = await resolveKey(request.ref, deps);
    step.state = await deps.records.look(deps.targetBucket, step.ref.key, step.ref, deps.signal);
    step.uploads = step.state.uploads;
    const [upload] = step.uploads;
    step.claim = { ...claimOn(step.ref, deps), ...(upload === undefined ? {} : { upload }) };
    const standing = standingOf(step.ref, step.state);
    if (standing.action === 'copy') return step;
    const displacedBy = await mend(step, standing.reason, deps);
    if (step.target === null) await skip(step, standing.reason, deps, displacedBy);
  } catch (error) {
    await fail(step, error, deps);
  }
  return step;
}

/** Call it once the step is claimed; it ends with an outcome, and with the event and record that are to be written. Does not throw. */
export async function copyOne(step: Step, deps: StepDeps): Promise<void> {
  const started = performance.now();
  const { ref, state } = step;
  let mode: EncryptionMode | undefined;
  try {
    const encryption = await decideEncryption(ref, deps);
    mode = encryption.mode;
    const began = async (upload: SavedUpload) => {
      step.uploads = [upload, ...step.uploads];
      step.claim = { ...step.claim, upload };
      await deps.records.claim([step.claim]);
    };
    const job = {
      ref,
      encryption,
      storageClass: deps.policy.storageClass,
      saved: step.uploads[0] ?? null,
      spared: () => sparedUploads(ref, deps),
      began,
    };
    const preparation = await prepareCopy(deps, job);
    if ('unfinished' in preparation) {
      if (step.uploads.length > MAX_UPLOADS) {
        const message = `${step.uploads.length} uploads of this object were begun, and each was gone before it was complete`;
        throw new SealdropError('conflict', message, { object: ref });
      }
      step.outcome = { status: 'unfinished', ref, progress: preparation.unfinished };
      return;
    }
    const committed = await commitInOrder(preparation.ready, ref, step.target ?? recordedTarget(state), deps);
    if (!('stored' in committed)) return await skip(step, committed.reason, deps);
    // ETags of other modes come once.
    const mayComeAgain = encryption.mode === 'sse-s3' || state.newest?.encryption.mode === 'sse-s3';
    if (committed.replaced && mayComeAgain && (await wasOvertaken(step, deps))) {
      const { newest } = step.state;
      return await skip(step, 'superseded', deps, newest && (await displaced(newest, deps)) && refOf(newest));
    }
    await succeed(step, committed, encryption, performance.now() - started, deps);
  } catch (error) {
    await settleFailure(step, error, deps, mode);
  }
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

/**
 * Only a message that comes again can have left a copy without a record, or in a newer one's place.
 * @returns the newer source that is to be copied again; `null`: none, or this one itself, if it has a `target` then
 * @throws SealdropError of the target; not at the last try: what is recorded is no failure
 */
async function mend(step: Step, reason: Skipped['reason'], deps: StepDeps): Promise<ObjectRef | null> {
  const { request, ref, state } = step;
  const { newest } = state;
  if (newest === null || (request.delivery === 1 && !ref.continued)) return null;
  try {
    if (reason === 'superseded') return (await displaced(newest, deps)) === null ? null : refOf(newest);
    step.record = await adoptCopy(newest, deps);
    const inItsPlace = step.record === null ? await displaced(newest, deps) : null;
    if (inItsPlace === null) return null;
    // Whoever wrote what was found has claimed: in this order nothing newer is overlooked.
    const now = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const standing = standingOf(ref, now);
    if (standing.action === 'skip' && standing.reason === 'encrypted already') step.target = inItsPlace;
    return null;
  } catch (error) {
    if (!request.lastTry) throw error;
    return null;
  }
}

/**
 * Looks once more after a commit that replaced something: under SSE-S3 the condition may have held for other bytes than were meant.
 * A newer source that is being copied is waited for.
 * @returns whether a newer one is recorded @throws SealdropError `newer-under-way`
 */
async function wasOvertaken(step: Step, deps: StepDeps): Promise<boolean> {
  const { ref } = step;
  for (let looks = 1; ; looks += 1) {
    step.state = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const { newest, newer } = step.state;
    if (newest !== null && compareSequencers(newest.source.sequencer, ref.sequencer) > 0) return true;
    if (newer === null) return false;
    if (looks === LOOKS_AFTER_COMMIT) standingOf(ref, { ...step.state, newest: null });
    await delay(LOOK_AGAIN_MS);
  }
}

/** The source that a record tells of, as its event named it. */
function refOf({ key, size, source }: ObjectRecord): ObjectRef {
  return { key, size, ...source };
}

function recordedTarget({ newest }: KeyState): TargetCondition {
  return newest === null ? 'absent' : { etag: newest.etag };
}

/** What fails may be done: by another delivery of the same event, or by a newer one; they may have deleted the source, too. */
async function settleFailure(step: Step, error: unknown, deps: StepDeps, mode?: EncryptionMode): Promise<void> {
  const { ref, request } = step;
  const { code, retryable } = asSealdropError(error);
  if (retryable && !request.lastTry && !SOURCE_IS_OVER.includes(code)) return fail(step, error, deps, mode);
  try {
    step.state = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const standing = standingOf(ref, step.state);
    return standing.action === 'skip' ? await skip(step, standing.reason, deps) : await fail(step, error, deps, mode);
  } catch (later) {
    return fail(step, asSealdropError(later).code === 'newer-under-way' ? later : error, deps, mode);
  }
}

async function succeed(
  step: Step,
  { stored, at }: { stored: StoredCopy; at: string },
  encryption: ResolvedEncryption,
  durationMs: number,
  deps: StepDeps,
): Promise<void> {
  const { ref } = step;
  // A copy by one call leaves whatever upload there was.
  const became = stored.proof === 'source-pinned' ? undefined : step.uploads[0];
  const description = describeEncryption(encryption);
  step.outcome = { status: 'encrypted', ref, encryption: description, durationMs };
  step.event = { ...eventOf(ref, deps), action: 'ObjectEncrypted', outcome: 'success', encryption: description, ...versionOf(stored) };
  step.record = {
    bucket: deps.targetBucket,
    key: ref.key,
    encryption: description,
    ...stored,
    ...(became === undefined ? {} : { uploadId: became.uploadId }),
    size: ref.size,
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
  await abandon(step, became?.uploadId, deps);
}

async function skip(step: Step, reason: Skipped['reason'], deps: StepDeps, displaced: ObjectRef | null = null): Promise<void> {
  step.outcome = { status: 'skipped', ref: step.ref, reason, displaced };
  await abandon(step, step.state.newest?.uploadId, deps);
}

/** Of newer sources, and of other attempts at the same one: each of these sees to its own. */
async function sparedUploads(ref: ObjectRef, deps: StepDeps): Promise<string[]> {
  const { uploads, newerUploads } = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
  return [...uploads, ...newerUploads].map(({ uploadId }) => uploadId);
}

/** Uploads that became no object: those of attempts that died, or that somebody else was faster than. @param became the one that did */
async function abandon({ request, ref, uploads }: Step, became: string | undefined, deps: StepDeps): Promise<void> {
  const left = uploads.filter(({ uploadId }) => uploadId !== became);
  await Promise.all(left.map(({ uploadId }) => abandonUpload(deps, ref.key, uploadId)));
  // Whoever died right after it began an upload has told nobody of it, and its message comes again.
  const untold = request.delivery > 1 && ref.size > deps.limits.partsAboveBytes;
  // What cannot be listed now is aborted by the bucket's lifecycle at last; what became of the object does not hang on it.
  if (untold) await abandonUploads(deps, ref.key, () => sparedUploads(ref, deps)).catch(() => {});
}

async function fail(step: Step, error: unknown, deps: StepDeps, mode?: EncryptionMode): Promise<void> {
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

function claimOn({ bucket, key, sequencer }: ObjectRef, { targetBucket, now = Date.now }: StepDeps): Claim {
  return { bucket: targetBucket, key, sourceBucket: bucket, sequencer, id: randomUUID(), claimedAt: new Date(now()).toISOString() };
}

function versionOf({ versionId }: { versionId?: string }): { versionId?: string } {
  return versionId === undefined ? {} : { versionId };
}
