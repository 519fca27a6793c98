/** Opens an object of the target bucket for one who may read it, and records that before its first byte. */
import type { Readable } from 'node:stream';
import type { AuditEvent } from './audit/event.ts';
import { isClientSideMode } from './encryption/index.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import { findObject } from './find-object.ts';
import { flowing } from './flowing.ts';
import { mayAccess } from './http/access.ts';
import { countFailure, type Metrics } from './metrics.ts';
import type { OpenDeps, Opened, OpenRequest } from './opened.ts';
import type { OpenedObject } from './read-object.ts';
import { readEvent, recordFailure, recordOpened } from './record-read.ts';
import { recordRefusal } from './record-refusal.ts';

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
  const { opened, encryption } = await findObject(request, deps).catch(async (error: unknown) => {
    const failure = asSealdropError(error, { bucket: deps.targetBucket, key: request.key });
    await recordFailure(event, failure, request, deps);
    throw failure;
  });
  try {
    await admit?.(opened);
    await recordOpened({ ...event, encryption }, opened, request, deps);
  } catch (error) {
    if (opened.kind === 'object') opened.object.body?.destroy();
    throw error;
  }
  if (opened.kind === 'preparing') await askForCopy({ ...event, encryption }, opened, deps);
  if (opened.kind === 'object') opened.object.body = watched(opened.object, { ...event, encryption }, deps);
  if (opened.kind === 'object' && request.purpose === 'read') countRead(opened.object, performance.now() - started, deps.metrics);
  return opened;
}

/** What is opened here is proven as it flows: a frame that is not what was written ends it, and is recorded before the caller sees it end. */
function watched({ body, mode, size, versionId }: OpenedObject, event: AuditEvent, deps: OpenDeps): Readable | null {
  if (body === null || !isClientSideMode(mode)) return body;
  async function* proven(chunks: Readable) {
    try {
      for await (const chunk of chunks) yield chunk as Buffer;
    } catch (error) {
      // The caller went; the object is as it was.
      if (chunks.errored === null) throw error;
      const { code, message } = asSealdropError(error);
      const about = { ...event, action: 'DownloadBroken' as const, outcome: 'failure' as const, code, detail: message, size };
      deps.log.error('download broken off', { bucket: event.bucket, key: event.key, versionId, code, cause: message });
      countFailure(deps.metrics, asSealdropError(error), mode);
      // Those of the request were written before its first byte.
      deps.metrics.flush();
      await deps.trail.append([versionId === undefined ? about : { ...about, versionId }]);
      throw error;
    }
  }
  return flowing(proven(body), body);
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

/** What is about to flow; S3 says beforehand how many bytes. */
function countRead({ mode, contentLength }: OpenedObject, latencyMs: number, metrics: Metrics): void {
  metrics.add('ObjectsDownloaded', 1, { mode });
  metrics.add('BytesDownloaded', contentLength);
  metrics.add('DownloadLatency', Math.round(latencyMs));
}
