/** What others do to the target bucket: recorded, and told apart from our own writes. */
import pMap from 'p-map';
import type { AuditEvent } from './audit/event.ts';
import type { ObjectRecords } from './audit/object-record.ts';
import type { AuditTrail } from './audit/trail.ts';
import { isClientSideMode } from './encryption/index.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import type { EventMessage, ObjectWritten, TargetEvent } from './events/index.ts';
import { type InspectDeps, inspectWrite } from './inspect-write.ts';
import { countFailure, type Metrics } from './metrics.ts';
import { type Attempt, describeError, type Failure, type SettleDeps, type SettledMessage, settleMessages } from './settle-messages.ts';

/** Look-ups under way at once in one invocation. */
const MAX_PARALLEL = 16;

/** A record that is not there yet is looked for again after this time at the earliest, then each time at twice the event's age. */
const FIRST_LOOK_SECONDS = 5;

/** Who deletes by a lifecycle rule; S3 itself says only `s3.amazonaws.com`. */
const LIFECYCLE = 's3-lifecycle';

export interface AuditDeps extends InspectDeps, SettleDeps {
  targetBucket: string;
  /** The unique id of the encrypt function's role (AROA…): what S3 calls its principal by. */
  encryptRoleId: string;
  /** How long after a write of ours its record may come: a batch is recorded as a whole. */
  recordGraceSeconds: number;
  trail: AuditTrail;
  records: ObjectRecords;
  /** Milliseconds; for tests. */
  now?: () => number;
}

/** Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict. */
export function auditTargetEvents(messages: EventMessage<TargetEvent>[], deps: AuditDeps): Promise<SettledMessage<TargetEvent>[]> {
  return settleMessages(messages, deps, (attempts) => auditAll(attempts, deps));
}

/** What became of one event: what is to be recorded of it, and what went wrong. */
interface Finding {
  events: AuditEvent[];
  failure: Failure | null;
  /** A copy that was made twice: recorded, and no alarm. */
  ours?: boolean;
}

/** One table call holds the audit events of all; what could not be recorded is a failure that is retried. */
async function auditAll(attempts: Attempt<TargetEvent>[], deps: AuditDeps): Promise<(Failure | null)[]> {
  const findings = await pMap(attempts, async (attempt) => ({ ...attempt, ...(await auditOne(attempt, deps)) }), {
    concurrency: MAX_PARALLEL,
  });
  const unrecorded = await record(
    findings.flatMap(({ events }) => events),
    deps,
  ).then(
    () => null,
    (error: unknown) => ({ error: asSealdropError(error) }),
  );
  return findings.map(({ item, lastTry, events, failure, ours = false }) => {
    // At the last try its own cause matters more.
    const final = unrecorded !== null && events.length > 0 && !(failure !== null && lastTry) ? unrecorded : failure;
    if (unrecorded === null) count(events, ours, deps.metrics);
    tell(item, events, final, deps);
    return final;
  });
}

/** An event may come again when its version is gone: what was found at first stays. */
async function record(events: AuditEvent[], { trail }: AuditDeps): Promise<void> {
  const poor = (event: AuditEvent) => event.action === 'ObjectWritten' && event.encryption === undefined;
  await trail.append(events.filter((event) => !poor(event)));
  await trail.appendNew(events.filter(poor));
}

async function auditOne({ item: event, lastTry }: Attempt<TargetEvent>, deps: AuditDeps): Promise<Finding> {
  if (event.bucket !== deps.targetBucket) {
    const message = `an event of the bucket ${event.bucket}; this queue is for those of ${deps.targetBucket}`;
    return { events: [], failure: { error: new SealdropError('malformed-event', message, { object: event }) } };
  }
  if (event.kind === 'deleted') {
    const detail = event.marker ? 'a delete marker' : event.versionId === undefined ? 'the object' : 'the version';
    return { events: [{ ...eventOf(event), action: 'ObjectDeleted', outcome: 'success', detail }], failure: null };
  }
  const byUs = event.principal.split(':')[1] === deps.encryptRoleId;
  try {
    const record = await deps.records.find(event.bucket, event.key, event, deps.signal);
    // Where there are no versions the etag must do, and the same bytes under SSE-S3 have the same, whoever writes them.
    if (record !== null && (event.versionId !== undefined || byUs)) return { events: [], failure: null };
  } catch (error) {
    return { events: [], failure: { error: asSealdropError(error, event) } };
  }
  const retryAfterSeconds = byUs && !lastTry ? untilNextLook(event, deps) : 0;
  if (retryAfterSeconds > 0) {
    const error = new SealdropError('record-missing', 'the encrypt function wrote this version and has not recorded it yet', {
      object: event,
    });
    return { events: [], failure: { error, retryAfterSeconds } };
  }
  if (!byUs) return foreignWrite(event, event.operation, lastTry, deps);
  try {
    // The function died between copy and record, or its answer was lost, and the copy was made again.
    const claimed = await deps.records.wasClaimed(event.bucket, event.key, event.eventTime, deps.signal);
    const detail = `${event.operation} by the encrypt function, ${claimed ? 'made again before it was recorded' : 'without a record'}`;
    return { ...(await foreignWrite(event, detail, lastTry, deps)), ours: claimed };
  } catch (error) {
    return { events: [], failure: { error: asSealdropError(error, event) } };
  }
}

/** 0 once the grace is over. */
function untilNextLook(event: ObjectWritten, { recordGraceSeconds, now = Date.now }: AuditDeps): number {
  const age = (now() - Date.parse(event.eventTime)) / 1000;
  return Math.max(0, Math.min(recordGraceSeconds - age, Math.max(FIRST_LOOK_SECONDS, age)));
}

/** A write that cannot be inspected is recorded without its encryption, once nothing more can be learned. */
async function foreignWrite(event: ObjectWritten, detail: string, lastTry: boolean, deps: AuditDeps): Promise<Finding> {
  const written: AuditEvent = { ...eventOf(event), action: 'ObjectWritten', outcome: 'success', size: event.size, detail };
  try {
    const inspection = await inspectWrite(event, deps);
    if (inspection === null) return { events: [{ ...written, detail: `${detail}; gone before it was inspected` }], failure: null };
    const { encryption, drift } = inspection;
    // That it is one, only who opens it sees: the API gives out none that `encrypt` did not record.
    const claimed = isClientSideMode(encryption.mode) ? '; a message, as it says of itself' : '';
    const found: AuditEvent = { ...written, encryption, detail: `${detail}${claimed}` };
    if (drift === null) return { events: [found], failure: null };
    const drifted: AuditEvent = { ...found, action: 'DriftFound', outcome: 'failure', code: 'drift', detail: drift };
    return { events: [found, drifted], failure: null };
  } catch (error) {
    const failure = asSealdropError(error, event);
    const final = !failure.retryable || lastTry;
    return { events: final ? [{ ...written, detail: `${detail}; not inspected: ${failure.code}` }] : [], failure: { error: failure } };
  }
}

/** The same in every delivery of the event, but for `recordedAt`. */
function eventOf(event: TargetEvent) {
  return {
    bucket: event.bucket,
    key: event.key,
    actor: event.kind === 'deleted' && event.lifecycle ? LIFECYCLE : event.principal,
    ...(event.sourceIpAddress === undefined ? {} : { sourceIpAddress: event.sourceIpAddress }),
    at: event.eventTime,
    recordedAt: new Date().toISOString(),
    uniqueId: event.uniqueId,
    correlationId: event.correlationId,
    ...(event.versionId === undefined ? {} : { versionId: event.versionId }),
  };
}

/** What a lifecycle rule deletes is nobody's doing. */
function count(events: AuditEvent[], ours: boolean, metrics: Metrics): void {
  for (const { action, actor, encryption } of events) {
    if (action === 'ObjectWritten' && !ours) metrics.add('ForeignWrites', 1);
    if (action === 'ObjectDeleted' && actor !== LIFECYCLE) metrics.add('ForeignDeletes', 1);
    if (action === 'DriftFound') metrics.add('DriftFound', 1, { mode: encryption?.mode });
  }
}

function tell(event: TargetEvent, events: AuditEvent[], failure: Failure | null, { log, metrics }: AuditDeps): void {
  const { bucket, key, versionId, correlationId } = event;
  const object = { bucket, key, versionId, correlationId };
  if (failure !== null) {
    log.warn('not audited', { ...object, ...describeError(failure.error) });
    if (failure.error.code !== 'record-missing') countFailure(metrics, failure.error);
    return;
  }
  for (const { action, actor, encryption, detail } of events) {
    log[action === 'DriftFound' ? 'error' : 'warn'](action, { ...object, actor, encryption, detail });
  }
  if (events.length === 0) log.info('our own write', object);
}
