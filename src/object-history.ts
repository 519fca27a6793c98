/** What happened to an object, for one who may know. */
import pMap from 'p-map';
import { type AuditEvent, positionFrom } from './audit/event.ts';
import type { RangeReads } from './audit/range-reads.ts';
import type { AuditTrail } from './audit/trail.ts';
import { SealdropError } from './errors.ts';
import { mayAccess } from './http/access.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import type { AccessRule } from './policy/schema.ts';
import { recordRefusal } from './record-refusal.ts';

export interface HistoryDeps {
  targetBucket: string;
  access: AccessRule[];
  trail: AuditTrail;
  rangeReads: RangeReads;
  metrics: Metrics;
  log: Log;
}

export interface HistoryRequest {
  key: string;
  /** ISO 8601, inclusive. */
  from: string | undefined;
  to: string | undefined;
  cursor: string | undefined;
  limit: number;
  caller: Caller;
  requestId: string;
}

/** An event without what AWS said and where objects lie: messages hold the names of roles, keys and buckets. Operators have the table and the logs. */
export type ToldEvent = Omit<AuditEvent, 'detail' | 'bucket'> & {
  /** Of a read by ranges: how many came within its window. */
  ranges?: number;
};

const COUNTED_AT_ONCE = 10;

/** A moment as ISO 8601 writes it, or a day: what sort keys begin with. */
const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/;

/** A sort key of the trail, which is all that a cursor holds. */
const POSITION = /^\d{4}-\d\d-\d\dT[\d:.]+Z#[A-Za-z]+#[\x21-\x7e]+$/;

/** @throws SealdropError `forbidden`, `invalid-request`, `audit-unavailable` */
export async function objectHistory(request: HistoryRequest, deps: HistoryDeps): Promise<{ events: ToldEvent[]; cursor: string | null }> {
  const { key, from, to, cursor, limit, caller, requestId } = request;
  if (!mayAccess(deps.access, caller, 'history', key)) {
    await recordRefusal({ action: 'HistoryDenied', bucket: deps.targetBucket, key, caller, requestId }, deps);
    throw new SealdropError('forbidden', "You may not see this key's history");
  }
  for (const [name, moment] of Object.entries({ from, to })) {
    if (moment !== undefined && !MOMENT.test(moment)) {
      throw new SealdropError('invalid-request', `${name} must be a day or a moment in UTC, such as 2026-11-20 or 2026-11-20T09:30:00Z`);
    }
  }
  const bounds = { from: from === undefined ? '' : openEnded(from), to: to === undefined ? '' : openEnded(to) };
  if (bounds.to !== '' && bounds.from > `${bounds.to}~`) throw new SealdropError('invalid-request', 'from must not be later than to');
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
  if (after !== undefined && !(POSITION.test(after) && after >= positionFrom(bounds.from) && after <= `${bounds.to}~`)) {
    throw new SealdropError('invalid-request', 'cursor is not one that this history gave');
  }
  const page = await deps.trail.history({
    bucket: deps.targetBucket,
    key,
    limit,
    ...(from === undefined ? {} : { from: bounds.from }),
    ...(to === undefined ? {} : { to: bounds.to }),
    ...(after === undefined ? {} : { after }),
  });
  const events = await pMap(page.events, (event) => toldOf(event, deps), { concurrency: COUNTED_AT_ONCE });
  return { events, cursor: page.next === null ? null : Buffer.from(page.next).toString('base64url') };
}

/** Sort keys are compared as text: `09:30Z` would stand behind `09:30:15.000Z`, `09:30` stands before it. */
function openEnded(moment: string): string {
  return moment.replace(/Z$/, '');
}

async function toldOf(event: AuditEvent, { rangeReads }: HistoryDeps): Promise<ToldEvent> {
  const { detail: _, bucket: __, ...told } = event;
  return told.bytes === undefined ? told : { ...told, ranges: await rangeReads.count(event) };
}
