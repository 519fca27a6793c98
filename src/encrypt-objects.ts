/** Encrypts objects into the target bucket: claim, copy, audit event, object record, and then the source's end. */
import pMap from 'p-map';
import type { AuditEvent } from './audit/event.ts';
import type { AuditTrail } from './audit/trail.ts';
import { uploadedAbove } from './copy/plan.ts';
import { type DeleteSourceDeps, deleteSource } from './delete-source.ts';
import { copyOne, lookAt } from './encrypt-object.ts';
import { type EncryptOutcome, type EncryptRequest, eventOf, failed, modeOf, type Step, type StepDeps } from './encryption-step.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import { compareSequencers, type ObjectRef } from './events/index.ts';
import type { Log } from './observability.ts';
import { decryptsSources, streams } from './policy/keys.ts';
import { INSTRUCTION_FILE_SUFFIX } from './s3-encryption-client/index.ts';

export type { EncryptOutcome, EncryptRequest } from './encryption-step.ts';

/** Objects under way at once in one invocation; S3 does the work, so this bounds open requests, not memory. */
const MAX_PARALLEL_OBJECTS = 32;

export interface EncryptDeps extends StepDeps, DeleteSourceDeps {
  trail: AuditTrail;
  log: Log;
}

/**
 * Outcomes come in the order of the requests; it does not throw. An object whose claim, event or record could not be written is a
 * failure that is retried.
 */
export async function encryptObjects(requests: EncryptRequest[], deps: EncryptDeps): Promise<EncryptOutcome[]> {
  const outcomes = new Map<EncryptRequest, EncryptOutcome>();
  const slow: Promise<void>[] = [];
  const encrypt = async (steps: Step[]) => {
    await settle(steps, deps);
    for (const { request, outcome } of steps) if (outcome !== null) outcomes.set(request, outcome);
  };
  for (const wave of newestFirst(requests)) {
    const looked = await pMap(wave, (request) => lookAt(request, deps), { concurrency: MAX_PARALLEL_OBJECTS });
    const large = (step: Step) => step.ref.size > uploadedAbove(deps.limits, streams(deps.policy));
    // What takes long must hold up neither the records of the rest nor the second wave.
    slow.push(encrypt(looked.filter(large)));
    await encrypt(looked.filter((step) => !large(step)));
  }
  await Promise.all(slow);
  return requests.map((request) => outcomes.get(request) ?? failed(request.ref, new SealdropError('unknown', 'the object was left out')));
}

/** Of one key the newest source comes first: the others are then superseded, most of them without a copy. */
function newestFirst(requests: EncryptRequest[]): EncryptRequest[][] {
  const newest = new Map<string, EncryptRequest>();
  for (const request of requests) {
    const { key, sequencer } = request.ref;
    const known = newest.get(key);
    if (known === undefined || compareSequencers(sequencer, known.ref.sequencer) > 0) newest.set(key, request);
  }
  const first = new Set(newest.values());
  return [[...first], requests.filter((request) => !first.has(request))];
}

/** One table call holds the claims of all steps, one their audit events and one their records. */
async function settle(steps: Step[], deps: EncryptDeps): Promise<void> {
  const open = steps.filter(({ outcome }) => outcome === null);
  await unlessTableFails(open, deps, 'claim', () => deps.records.claim(open.map(({ claim }) => claim)));
  const claimed = open.filter(({ outcome }) => outcome === null);
  await pMap(claimed, (step) => copyOne(step, deps), { concurrency: MAX_PARALLEL_OBJECTS });
  const told = steps.filter(({ event, record }) => event !== null || record !== null);
  await unlessTableFails(told, deps, 'event or record', async () => {
    await deps.trail.append(told.flatMap(({ event }) => event ?? []));
    // A copy that came to nothing holds nobody up.
    const ended = claimed.filter(({ event, record }) => event !== null && record === null);
    await deps.records.append(
      told.flatMap(({ record }) => record ?? []),
      ended.map(({ claim }) => ({ ...claim, ended: true })),
    );
  });
  if (deps.policy.source === 'delete') await deleteSources(steps, deps);
}

/** @param steps that it is written of. Without claim, event and record nothing counts, and it is retried; at the last try a step's own failure matters more. */
async function unlessTableFails(
  steps: Step[],
  deps: EncryptDeps,
  what: 'claim' | 'event or record' | 'deletion',
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    for (const step of steps) {
      const { key, correlationId } = step.ref;
      deps.log.error(`${what} could not be written`, {
        bucket: deps.targetBucket,
        key,
        correlationId,
        cause: asSealdropError(error).message,
      });
      if (step.outcome?.status === 'failed' && step.request.lastTry) continue;
      const { outcome } = step;
      const wasRecorded = what === 'deletion' && outcome?.status === 'encrypted';
      step.outcome = { ...failed(step.ref, error, modeOf(outcome)), ...(wasRecorded ? { encrypted: outcome } : {}) };
    }
  }
}

/** After the record, so that a crash leaves both and the retry deletes. */
async function deleteSources(steps: Step[], deps: EncryptDeps): Promise<void> {
  const over = steps.filter(
    ({ ref, outcome }) => (outcome?.status === 'encrypted' || outcome?.status === 'skipped') && !goesWithAnother(ref, deps),
  );
  const deleted = await pMap(over, async (step) => ({ step, event: await deleteOne(step, deps) }), { concurrency: MAX_PARALLEL_OBJECTS });
  const told = deleted.flatMap(({ step, event }) => (event === null ? [] : [{ step, event }]));
  await unlessTableFails(
    told.map(({ step }) => step),
    deps,
    'deletion',
    () => deps.trail.append(told.map(({ event }) => event)),
  );
}

/** What says how another source is encrypted is needed until that one is decrypted, whichever comes first. */
function goesWithAnother({ key }: ObjectRef, { policy }: EncryptDeps): boolean {
  return decryptsSources(policy) && key.endsWith(INSTRUCTION_FILE_SUFFIX);
}

/** `null`: it is tried again. */
async function deleteOne(step: Step, deps: EncryptDeps): Promise<AuditEvent | null> {
  const { ref, request, outcome } = step;
  try {
    await deleteSource(ref, deps);
    return { ...eventOf(ref, deps), action: 'SourceDeleted', outcome: 'success' };
  } catch (error) {
    const failure = failed(ref, error, modeOf(outcome));
    step.outcome = outcome?.status === 'encrypted' ? { ...failure, encrypted: outcome } : failure;
    const { code, retryable, message } = failure.error;
    if (retryable && !request.lastTry) return null;
    return { ...eventOf(ref, deps), action: 'SourceDeletionFailed', outcome: 'failure', code, detail: message };
  }
}
