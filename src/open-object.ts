/** Opens an object of the target bucket for one who may read it, and records that before its first byte. */
import type { AuditEvent } from './audit/event.ts';
import type { RangeReads } from './audit/range-reads.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { EncryptionDescription } from './encryption/index.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import type { TransitOrder } from './events/index.ts';
import { mayAccess } from './http/access.ts';
import { judgeConditions, rangeHolds } from './http/conditions.ts';
import { type DeliveryLimits, decideDelivery } from './http/delivery.ts';
import { cacheControlOf } from './http/object-headers.ts';
import type { ObjectRequest } from './http/object-request.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import { downloadRule } from './policy/downloads.ts';
import type { Presign, PresignInput } from './presigned-url.ts';
import { letGo, type OpenedObject, type ReadDeps, type ReadResult, readObject } from './read-object.ts';
import { recordRefusal } from './record-refusal.ts';
import { MOST_TRANSIT_BYTES, retryAfterSeconds, type TransitRequests } from './transit-requests.ts';

export interface OpenDeps extends ReadDeps {
  presign: Presign;
  /** `null`: policy.yml allows no copies for downloads, and the stack can make none. */
  transit: TransitRequests | null;
  limits: DeliveryLimits;
  trail: AuditTrail;
  rangeReads: RangeReads;
  metrics: Metrics;
  log: Log;
}

export interface OpenRequest extends ObjectRequest {
  caller: Caller;
  requestId: string;
}

export type Opened =
  /** To be streamed, whole or by the range that it says; without a body for `inspect`. */
  | { kind: 'object'; object: OpenedObject }
  /** The caller has it already. */
  | { kind: 'not-modified'; object: OpenedObject }
  /** S3 serves it, until `expires` (ISO 8601). */
  | { kind: 'redirect'; object: OpenedObject; url: string; expires: string }
  /** S3 will serve a copy of it, which is being ordered. */
  | { kind: 'preparing'; object: OpenedObject; order: TransitOrder; retryAfterSeconds: number }
  /** The range begins behind the object's end; `size` in bytes. */
  | { kind: 'unsatisfiable'; size: number };

/** What is to be answered, and how it is stored. */
type Found = { opened: Opened; encryption: EncryptionDescription };

/**
 * @throws SealdropError `forbidden` before anything is looked up, so that it tells nothing of the object; `not-found`; `precondition-failed`;
 * `use-ranges` for more than one answer can carry; `audit-unavailable` when the read cannot be recorded; the key's own code when S3 cannot decrypt;
 * what keeps a copy from being ordered
 */
export async function openObject(request: OpenRequest, deps: OpenDeps): Promise<Opened> {
  const { key, caller, requestId } = request;
  if (!mayAccess(deps.policy.access, caller, 'read', key)) {
    await recordRefusal({ action: 'DownloadDenied', bucket: deps.targetBucket, key, caller, requestId }, deps);
    throw new SealdropError('forbidden', 'You may not read this key');
  }
  return serveObject(request, deps);
}

/**
 * For whoever may read the object, by whatever right.
 * @param admit called once the object is open, before anything of it is recorded or told; a throw is the answer
 * @throws SealdropError as `openObject`, but `forbidden`
 */
export async function serveObject(request: OpenRequest, deps: OpenDeps, admit?: (opened: Opened) => Promise<void>): Promise<Opened> {
  const started = performance.now();
  const event = readEvent(request, deps.targetBucket);
  const { opened, encryption } = await find(request, deps).catch(async (error: unknown) => {
    const failure = asSealdropError(error, { bucket: deps.targetBucket, key: request.key });
    await deps.trail.append([{ ...event, outcome: 'failure', code: failure.code, detail: failure.message }]);
    throw failure;
  });
  try {
    await admit?.(opened);
    await record({ ...event, encryption }, opened, deps);
  } catch (error) {
    if (opened.kind === 'object') opened.object.body?.destroy();
    throw error;
  }
  if (opened.kind === 'preparing') await askForCopy({ ...event, encryption }, opened, deps);
  if (opened.kind === 'object' && request.purpose === 'read') countRead(opened.object, performance.now() - started, deps.metrics);
  return opened;
}

/** Conditions come before ranges, and both before the question how bytes are to travel. */
async function find(request: OpenRequest, deps: OpenDeps): Promise<Found> {
  const read = await readObject(request, deps);
  if (read === null) return findUnsatisfied(request, deps);
  const { object, encryption } = read;
  switch (judgeConditions(request.conditions, object)) {
    case 'precondition-failed':
      letGo(object);
      throw new SealdropError('precondition-failed', 'The object is not as the condition says');
    case 'not-modified':
      letGo(object);
      return { opened: { kind: 'not-modified', object }, encryption };
    case 'proceed':
      break;
  }
  if (object.range !== null && !rangeHolds(request.conditions.ifRange, object)) {
    letGo(object);
    return find({ ...request, range: null }, deps);
  }
  return { opened: await deliver(request, read, deps), encryption };
}

/** S3 says no more than that the range is none of the object's; conditions are judged all the same, and the caller is told the length. */
async function findUnsatisfied(request: OpenRequest, deps: OpenDeps): Promise<Found> {
  const { opened, encryption } = await find({ ...request, purpose: 'inspect', range: null }, deps);
  if (opened.kind !== 'object' || request.range === null) return { opened, encryption };
  const { object } = opened;
  // Of nothing, the last so many bytes are all of it.
  const isWhole = object.size === 0 && 'suffix' in request.range && request.range.suffix > 0;
  if (isWhole || !rangeHolds(request.conditions.ifRange, object)) return find({ ...request, range: null }, deps);
  return { opened: { kind: 'unsatisfiable', size: object.size }, encryption };
}

async function deliver(request: OpenRequest, { object }: ReadResult, deps: OpenDeps): Promise<Opened> {
  if (request.purpose === 'inspect') return { kind: 'object', object: { ...object, ...stated(request) } };
  const { mode, contentLength, versionId } = object;
  const rule = downloadRule(deps.policy, request.key);
  const delivery = decideDelivery({ mode, length: contentLength, versionId }, rule, request.redirects, deps.limits);
  if (delivery === 'stream') return { kind: 'object', object: { ...object, ...stated(request) } };
  letGo(object);
  if (delivery === 'redirect' && versionId !== undefined) {
    return redirect(request, object, { bucket: deps.targetBucket, key: request.key, versionId }, deps);
  }
  const order = delivery === 'transit' ? orderOf(request, object, deps) : null;
  if (order === null || deps.transit === null) {
    const message = `${contentLength} bytes are more than one answer carries, and nothing else may serve them`;
    throw new SealdropError('use-ranges', message);
  }
  const copy = await deps.transit.find(order);
  if (copy !== null) return redirect(request, object, { ...copy, versionId: null }, deps);
  return { kind: 'preparing', object, order, retryAfterSeconds: retryAfterSeconds(object.size) };
}

async function redirect(
  { disposition }: OpenRequest,
  object: OpenedObject,
  from: Pick<PresignInput, 'bucket' | 'key' | 'versionId'>,
  { presign }: OpenDeps,
): Promise<Opened> {
  const presigned = await presign({ ...from, cacheControl: cacheControlOf(object), contentDisposition: disposition });
  return { kind: 'redirect', object, ...presigned };
}

/** `null`: it is more than a copy for a download may be, or could not be held to this state of the object. */
function orderOf({ key, requestId }: OpenRequest, { versionId, etag, size }: OpenedObject, deps: OpenDeps): TransitOrder | null {
  if (versionId === undefined || etag === undefined || size > MOST_TRANSIT_BYTES) return null;
  const state = { bucket: deps.targetBucket, key, versionId, etag: etag.replaceAll('"', ''), size };
  return { kind: 'transit', ...state, requestedAt: new Date().toISOString(), correlationId: requestId };
}

/** What was recorded as asked for and could not be is recorded again, as the failure that it is. */
async function askForCopy(event: AuditEvent, { order }: Opened & { kind: 'preparing' }, deps: OpenDeps): Promise<void> {
  await deps.transit?.ask(order).catch(async (error: unknown) => {
    const { code, message } = asSealdropError(error);
    const { size, versionId } = order;
    const requested = { ...event, action: 'TransitRequested' as const, size, versionId };
    await deps.trail.append([{ ...requested, outcome: 'failure', code, detail: message }]);
    throw error;
  });
}

function stated({ disposition }: OpenRequest): Partial<OpenedObject> {
  return disposition === undefined ? {} : { contentDisposition: disposition };
}

async function record(event: AuditEvent, opened: Opened, { trail, rangeReads }: OpenDeps): Promise<void> {
  if (opened.kind === 'unsatisfiable') {
    return trail.append([{ ...event, size: opened.size, outcome: 'failure', code: 'range-not-satisfiable' }]);
  }
  const { size, versionId, etag, range } = opened.object;
  const told = { ...event, size, ...(versionId !== undefined ? { versionId } : etag === undefined ? {} : { etag }) };
  switch (opened.kind) {
    case 'object':
      return range === null ? trail.append([told]) : rangeReads.record(told, range);
    case 'not-modified':
      return trail.append([{ ...told, action: 'ObjectInspected' }]);
    case 'redirect':
      return trail.append([{ ...told, action: 'DownloadAuthorised', expires: opened.expires }]);
    case 'preparing':
      return trail.append([{ ...told, action: 'TransitRequested' }]);
    default:
      return opened satisfies never;
  }
}

/** What is about to flow; S3 says beforehand how many bytes. */
function countRead({ mode, contentLength }: OpenedObject, latencyMs: number, metrics: Metrics): void {
  metrics.add('ObjectsDownloaded', 1, { mode });
  metrics.add('BytesDownloaded', contentLength);
  metrics.add('DownloadLatency', Math.round(latencyMs));
}

function readEvent({ key, caller, purpose, requestId }: OpenRequest, bucket: string): AuditEvent {
  const at = new Date().toISOString();
  const action = purpose === 'read' ? 'ObjectDownloaded' : 'ObjectInspected';
  return {
    action,
    outcome: 'success',
    bucket,
    key,
    actor: caller.subject,
    at,
    recordedAt: at,
    uniqueId: requestId,
    correlationId: requestId,
  };
}
