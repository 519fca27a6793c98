/** Encrypts objects into the target bucket: copy, then audit event, then object record. */
import pMap from 'p-map';
import type { AuditEvent } from './audit/event.ts';
import type { ObjectRecord, ObjectRecords } from './audit/object-record.ts';
import type { AuditTrail } from './audit/trail.ts';
import { type CopyDeps, copyObject, type StoredCopy } from './copy/copy-object.ts';
import { planCopy } from './copy/plan.ts';
import { type DecideDeps, decideEncryption } from './decide-encryption.ts';
import { describeEncryption, type EncryptionDescription } from './encryption/index.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import type { Log } from './observability.ts';
import type { EncryptionMode } from './policy/schema.ts';

/** Copies under way at once in one invocation; S3 does the work, so this bounds open requests, not memory. */
const MAX_PARALLEL_COPIES = 32;

const ACTOR = 'function/encrypt';

export interface EncryptDeps extends DecideDeps, CopyDeps {
  policyFingerprint: string;
  trail: AuditTrail;
  records: ObjectRecords;
  log: Log;
}

export interface EncryptRequest {
  ref: ObjectRef;
  /** Its last delivery: a failure that could heal is recorded as final. */
  lastTry: boolean;
}

export type EncryptOutcome = { status: 'encrypted'; ref: ObjectRef; encryption: EncryptionDescription; durationMs: number } | Failed;

/** `mode`: how it was to be encrypted, where that was decided before it failed. */
interface Failed {
  status: 'failed';
  ref: ObjectRef;
  error: SealdropError;
  mode?: EncryptionMode;
}

/**
 * Outcomes come in the order of the requests; it does not throw. One table call holds the audit events of all of them and
 * one the records; an object whose event or record could not be written is a failure that is retried.
 */
export async function encryptObjects(requests: EncryptRequest[], deps: EncryptDeps): Promise<EncryptOutcome[]> {
  const copies = await pMap(requests, (request) => copyOne(request, deps), { concurrency: MAX_PARALLEL_COPIES });
  try {
    await deps.trail.append(copies.flatMap(({ event }) => (event === null ? [] : [event])));
    await deps.records.append(copies.flatMap(({ record }) => (record === null ? [] : [record])));
  } catch (error) {
    const cause = asSealdropError(error).message;
    for (const { outcome } of copies) {
      const { key, correlationId } = outcome.ref;
      deps.log.error('event or record could not be written', { bucket: deps.targetBucket, key, correlationId, cause });
    }
    // Without event and record nothing counts, and a failure is retried to be recorded; at the last try its own cause matters more.
    return copies.map(({ outcome }, index) =>
      outcome.status === 'failed' && requests[index]?.lastTry ? outcome : failed(outcome.ref, error, modeOf(outcome)),
    );
  }
  return copies.map(({ outcome }) => outcome);
}

interface CopyStep {
  outcome: EncryptOutcome;
  event: AuditEvent | null;
  record: ObjectRecord | null;
}

async function copyOne({ ref, lastTry }: EncryptRequest, deps: EncryptDeps): Promise<CopyStep> {
  const started = performance.now();
  const decided: Decided = {};
  try {
    const { stored, encryption, key } = await decideAndCopy(ref, deps, decided);
    const named = { ...ref, key };
    return {
      outcome: { status: 'encrypted', ref: named, encryption, durationMs: performance.now() - started },
      event: { ...eventOf(named, deps), action: 'ObjectEncrypted', outcome: 'success', encryption, ...versionOf(stored) },
      record: recordOf(named, stored, encryption, deps),
    };
  } catch (error) {
    const outcome = failed(ref, error, decided.mode);
    const { code, retryable, message } = outcome.error;
    const final = !retryable || lastTry;
    const event: AuditEvent = { ...eventOf(ref, deps), action: 'EncryptionFailed', outcome: 'failure', code, detail: message };
    return { outcome, event: final ? event : null, record: null };
  }
}

/** What is known when a copy fails. */
interface Decided {
  mode?: EncryptionMode;
}

async function decideAndCopy(
  ref: ObjectRef,
  deps: EncryptDeps,
  decided: Decided,
): Promise<{ stored: StoredCopy; encryption: EncryptionDescription; key: string }> {
  try {
    planCopy(ref);
    const encryption = await decideEncryption(ref, deps);
    decided.mode = encryption.mode;
    const stored = await copyObject(deps, ref, encryption);
    return { stored, encryption: describeEncryption(encryption), key: ref.key };
  } catch (error) {
    const { alternativeKey, ...rest } = ref;
    if (alternativeKey === undefined || !isOtherObject(error)) throw error;
    return decideAndCopy({ ...rest, key: alternativeKey }, deps, decided);
  }
}

/** Under the key as it was read there is nothing, or not what the event is about. */
function isOtherObject(error: unknown): boolean {
  return error instanceof SealdropError && (error.code === 'source-gone' || error.code === 'source-changed');
}

function failed(ref: ObjectRef, error: unknown, mode: EncryptionMode | undefined): Failed {
  return { status: 'failed', ref, error: asSealdropError(error, ref), ...(mode === undefined ? {} : { mode }) };
}

function modeOf(outcome: EncryptOutcome): EncryptionMode | undefined {
  return outcome.status === 'encrypted' ? outcome.encryption.mode : outcome.mode;
}

function eventOf(ref: ObjectRef, deps: EncryptDeps) {
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

function recordOf(ref: ObjectRef, stored: StoredCopy, encryption: EncryptionDescription, deps: EncryptDeps): ObjectRecord {
  return {
    bucket: deps.targetBucket,
    key: ref.key,
    encryption,
    ...stored,
    size: ref.size,
    policyFingerprint: deps.policyFingerprint,
    source: { bucket: ref.bucket, etag: ref.etag, ...versionOf(ref), sequencer: ref.sequencer },
    encryptedAt: new Date().toISOString(),
  };
}

function versionOf({ versionId }: { versionId?: string }): { versionId?: string } {
  return versionId === undefined ? {} : { versionId };
}
