/** What the trail is told of reads. */
import { type AuditEvent, readWindow } from './audit/event.ts';
import type { SealdropError } from './errors.ts';
import type { OpenDeps, Opened, OpenRequest } from './opened.ts';

type Recording = Pick<OpenDeps, 'trail' | 'rangeReads'>;

/** Of a request, before anything is known of its object. */
export function readEvent({ key, caller, purpose, requestId }: OpenRequest, bucket: string): AuditEvent {
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

/** @throws SealdropError `audit-unavailable`: then nothing may be told */
export async function recordOpened(event: AuditEvent, opened: Opened, request: OpenRequest, deps: Recording): Promise<void> {
  const { trail, rangeReads } = deps;
  if (opened.kind === 'unsatisfiable') {
    return append({ ...event, size: opened.size, outcome: 'failure', code: 'range-not-satisfiable' }, request, deps);
  }
  const { size, versionId, etag, range } = opened.object;
  const told = { ...event, size, ...(versionId !== undefined ? { versionId } : etag === undefined ? {} : { etag }) };
  switch (opened.kind) {
    case 'object':
      if (opened.object.body === null) return append(told, request, deps);
      return range === null ? trail.append([told]) : rangeReads.record(told, range);
    case 'not-modified':
      return append({ ...told, action: 'ObjectInspected' }, request, deps);
    case 'redirect':
      return trail.append([{ ...told, action: 'DownloadAuthorised', expires: opened.expires }]);
    case 'preparing':
      return trail.append([{ ...told, action: 'TransitRequested' }]);
    default:
      return opened satisfies never;
  }
}

/** @throws SealdropError `audit-unavailable` */
export async function recordFailure(event: AuditEvent, failure: SealdropError, request: OpenRequest, deps: Recording): Promise<void> {
  await append({ ...event, outcome: 'failure', code: failure.code, detail: failure.message }, request, deps);
}

async function append(event: AuditEvent, { sparse }: OpenRequest, { trail }: Recording): Promise<void> {
  await (sparse ? trail.appendNew([oncePerWindow(event)]) : trail.append([event]));
}

/** Whoever repeats it within five minutes repeats one event, so that nobody can bury an object's history. */
export function oncePerWindow(event: AuditEvent): AuditEvent {
  const { actor, code } = event;
  return { ...event, window: readWindow(Date.parse(event.at)), uniqueId: code === undefined ? actor : `${actor}/${code}` };
}
