/** Refusals are recorded where they are made. */
import type { AuditAction } from './audit/event.ts';
import type { AuditTrail } from './audit/trail.ts';
import { asSealdropError } from './errors.ts';
import type { Caller } from './http/request.ts';
import type { Log } from './observability.ts';

export interface Refusal {
  action: Extract<AuditAction, 'DownloadDenied' | 'ListDenied' | 'HistoryDenied' | 'ShareDenied'>;
  bucket: string;
  /** The key, or the prefix of a listing. */
  key: string;
  caller: Caller;
  requestId: string;
}

/** Does not throw: no right is a 403 whether or not the trail can be written, and a log line then stands for the event. */
export async function recordRefusal(refusal: Refusal, deps: { trail: AuditTrail; log: Log }): Promise<void> {
  const { action, bucket, key, caller, requestId } = refusal;
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
  await deps.trail.append([event]).catch((error: unknown) => {
    deps.log.error('a refusal could not be recorded', { ...event, cause: asSealdropError(error).message });
  });
}
