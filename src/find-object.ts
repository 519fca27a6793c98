/** From a request to what is to be answered: conditions, ranges, and the way that bytes are to travel. Nothing is recorded here, and no body is read. */
import type { EncryptionDescription } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { TransitOrder } from './events/index.ts';
import { judgeConditions, rangeHolds } from './http/conditions.ts';
import { decideDelivery } from './http/delivery.ts';
import { cacheControlOf } from './http/object-headers.ts';
import type { OpenDeps, Opened, OpenRequest } from './opened.ts';
import { downloadRule } from './policy/downloads.ts';
import type { PresignInput } from './presigned-url.ts';
import { letGo, type OpenedObject, type ReadResult, readObject } from './read-object.ts';
import { MOST_TRANSIT_BYTES, retryAfterSeconds } from './transit-requests.ts';

/** What is to be answered, and how it is stored. */
export interface Found {
  opened: Opened;
  encryption: EncryptionDescription;
}

/**
 * Conditions come before ranges, and both before the question how bytes are to travel.
 * @throws SealdropError `not-found`, `precondition-failed`, `use-ranges`, the key's own code, or what S3's refusal means
 */
export async function findObject(request: OpenRequest, deps: OpenDeps): Promise<Found> {
  const read = await readObject(request, deps);
  if (read === null) return findUnsatisfied(request, deps);
  const { object, encryption } = read;
  if (request.etag !== undefined && request.etag !== object.etag) {
    letGo(object);
    throw new SealdropError('not-found', 'There is no such object');
  }
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
    return findObject({ ...request, range: null }, deps);
  }
  return { opened: await deliver(request, read, deps), encryption };
}

/** S3 says no more than that the range is none of the object's; conditions are judged all the same, and the caller is told the length. */
async function findUnsatisfied(request: OpenRequest, deps: OpenDeps): Promise<Found> {
  const { opened, encryption } = await findObject({ ...request, purpose: 'inspect', range: null }, deps);
  if (opened.kind !== 'object' || request.range === null) return { opened, encryption };
  const { object } = opened;
  // Of nothing, the last so many bytes are all of it.
  const isWhole = object.size === 0 && 'suffix' in request.range && request.range.suffix > 0;
  if (isWhole || !rangeHolds(request.conditions.ifRange, object)) return findObject({ ...request, range: null }, deps);
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
  { disposition, until }: OpenRequest,
  object: OpenedObject,
  from: Pick<PresignInput, 'bucket' | 'key' | 'versionId'>,
  { presign }: OpenDeps,
): Promise<Opened> {
  const presigned = await presign({ ...from, cacheControl: cacheControlOf(object), contentDisposition: disposition, until });
  return { kind: 'redirect', object, ...presigned };
}

/** `null`: it is more than a copy for a download may be, or could not be held to this state of the object. */
function orderOf({ key, requestId }: OpenRequest, { versionId, etag, size }: OpenedObject, deps: OpenDeps): TransitOrder | null {
  if (versionId === undefined || etag === undefined || size > MOST_TRANSIT_BYTES) return null;
  const state = { bucket: deps.targetBucket, key, versionId, etag: etag.replaceAll('"', ''), size };
  return { kind: 'transit', ...state, requestedAt: new Date().toISOString(), correlationId: requestId };
}

function stated({ disposition }: OpenRequest): Partial<OpenedObject> {
  return disposition === undefined ? {} : { contentDisposition: disposition };
}
