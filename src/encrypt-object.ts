/** Encrypts one object: looked at, copied in order, and put right where it was not. */
import type { KeyState } from './audit/object-record.ts';
import { commitInOrder } from './commit-in-order.ts';
import type { SavedUpload, TargetCondition } from './copy/copy-job.ts';
import { prepareCopy } from './copy/prepare-copy.ts';
import { decideEncryption } from './decide-encryption.ts';
import {
  claimOn,
  type EncryptRequest,
  fail,
  newStep,
  type Skipped,
  SOURCE_IS_OVER,
  type Step,
  type StepDeps,
  skip,
  sparedUploads,
  succeed,
} from './encryption-step.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import { mend, mendAfterAttempt, wasOvertaken } from './mend-order.ts';
import type { EncryptionMode } from './policy/schema.ts';
import { resolveKey } from './resolve-key.ts';
import { standingOf } from './source-order.ts';

/** Each run that finds its upload gone begins another: beyond this, somebody must look. */
const MAX_UPLOADS = 8;

/** Asks the records first: a step that comes back with an outcome is over. Does not throw. */
export async function lookAt(request: EncryptRequest, deps: StepDeps): Promise<Step> {
  const step = newStep(request, deps);
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
    const { encryption, ...decided } = await decideEncryption(ref, deps);
    mode = encryption.mode;
    const began = async (upload: SavedUpload) => {
      step.uploads = [upload, ...step.uploads];
      step.claim = { ...step.claim, upload };
      await deps.records.claim([step.claim]);
    };
    const job = {
      ref,
      encryption,
      ...decided,
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
    if (!('stored' in committed)) return await giveWay(step, committed.reason, deps);
    // ETags of other modes come once.
    const mayComeAgain = encryption.mode === 'sse-s3' || state.newest?.encryption.mode === 'sse-s3';
    if (committed.replaced && mayComeAgain && (await wasOvertaken(step, deps))) return await giveWay(step, 'superseded', deps);
    await succeed(step, committed, encryption, performance.now() - started, deps);
  } catch (error) {
    await settleFailure(step, error, deps, mode);
  }
}

async function giveWay(step: Step, reason: Skipped['reason'], deps: StepDeps): Promise<void> {
  await skip(step, reason, deps, await mendAfterAttempt(step, reason, deps));
}

function recordedTarget({ newest }: KeyState): TargetCondition {
  return newest === null ? 'absent' : { etag: newest.etag };
}

/** What fails may be done: by another delivery of the same event, or by a newer one; they may have deleted the source, too. */
async function settleFailure(step: Step, error: unknown, deps: StepDeps, mode?: EncryptionMode): Promise<void> {
  const { ref, request } = step;
  const { code, retryable } = asSealdropError(error);
  // What was stored otherwise than asked may be the current object now, whatever another delivery recorded before.
  if (code === 'answer-mismatch') return fail(step, error, deps, mode);
  if (retryable && !request.lastTry && !SOURCE_IS_OVER.includes(code)) return fail(step, error, deps, mode);
  try {
    step.state = await deps.records.look(deps.targetBucket, ref.key, ref, deps.signal);
    const standing = standingOf(ref, step.state);
    return standing.action === 'skip' ? await giveWay(step, standing.reason, deps) : await fail(step, error, deps, mode);
  } catch (later) {
    const { code: laterCode, retryable: mayHeal } = asSealdropError(later);
    return fail(step, laterCode === 'newer-under-way' || (mayHeal && !request.lastTry) ? later : error, deps, mode);
  }
}
