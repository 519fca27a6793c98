/** Opens an object of the target bucket for one who may read it, and records that before its first byte. */
import type { AuditEvent } from './audit/event.ts';
import type { AuditTrail } from './audit/trail.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import { mayAccess } from './http/access.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import type { AccessRule } from './policy/schema.ts';
import { type OpenedObject, type ReadDeps, type ReadRequest, readObject } from './read-object.ts';
import { recordRefusal } from './record-refusal.ts';

export interface OpenDeps extends ReadDeps {
  access: AccessRule[];
  trail: AuditTrail;
  metrics: Metrics;
  log: Log;
}

export interface OpenRequest extends ReadRequest {
  caller: Caller;
  requestId: string;
}

/**
 * @throws SealdropError `forbidden` before anything is looked up, so that it tells nothing of the object; `not-found`;
 * `audit-unavailable` when the read cannot be recorded; the key's own code when S3 cannot decrypt
 */
export async function openObject(request: OpenRequest, deps: OpenDeps): Promise<OpenedObject> {
  const { key, caller, requestId } = request;
  const started = performance.now();
  if (!mayAccess(deps.access, caller.claims, 'read', key)) {
    await recordRefusal({ action: 'DownloadDenied', bucket: deps.targetBucket, key, caller, requestId }, deps);
    throw new SealdropError('forbidden', 'You may not read this key');
  }
  const event = readEvent(request, deps.targetBucket);
  const opened = await readObject(request, deps).catch(async (error: unknown) => {
    const failure = asSealdropError(error, { bucket: deps.targetBucket, key });
    await deps.trail.append([{ ...event, outcome: 'failure', code: failure.code, detail: failure.message }]);
    throw failure;
  });
  try {
    const { versionId, contentLength: size } = opened.object;
    await deps.trail.append([{ ...event, encryption: opened.encryption, size, ...(versionId === undefined ? {} : { versionId }) }]);
  } catch (error) {
    opened.object.body?.destroy();
    throw error;
  }
  if (request.purpose === 'read') countRead(opened.object, performance.now() - started, deps.metrics);
  return opened.object;
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
