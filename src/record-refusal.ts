/** Refusals are recorded where they are made. */
import type { AuditAction } from './audit/event.ts';
import type { AuditTrail } from './audit/trail.ts';
import { asSealdropError } from './errors.ts';
import type { Caller } from './http/request.ts';
import type { Log } from './observability.ts';
import { oncePerWindow } from './record-read.ts';

export interface Refusal {
  action: Extract<AuditAction, 'DownloadDenied' | 'ListDenied' | 'HistoryDenied' | 'ShareDenied'>;
  bucket: string;
  /** The key, or the prefix of a listing. */
  key: string;
  caller: Caller;
  requestId: string;
  /** Who asks is nobody in particular: it is one event for five minutes. */
  sparse?: boolean;
}

/** Does not throw: no right is a 403 whether or not the trail can be written, and a log line then stands for the event. */
export async function recordRefusal(refusal: Refusal, deps: { trail: AuditTrail; log: Log }): Promise<void> {
  const { action, bucket, key, caller, requestId, sparse } = refusal;
  const at = new Date().toISOString();
  const actor = caller.subject;
  const event = {
    action,
    outcome: 'denied' as const,
    bucket,
    key,
    actor,
    at,
    recordedAt: at,
    uniqueId: requestId,
    correlationId: requestId,
  };
  const recorded = sparse ? deps.trail.appendNew([oncePerWindow(event)]) : deps.trail.append([event]);
  await recorded.catch((error: unknown) => {
    deps.log.error('a refusal could not be recorded', { ...event, cause: asSealdropError(error).message });
  });
}
