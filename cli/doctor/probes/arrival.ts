/** Waits until the pipeline says what became of a probe. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { createObjectRecords, type ObjectRecord } from '../../../src/audit/object-record.ts';
import { createAuditTrail } from '../../../src/audit/trail.ts';
import type { DoctorContext } from '../context.ts';

const LOOK_EVERY_MS = 250;
const EVENTS = 20;

export type Arrival = { kind: 'recorded'; record: ObjectRecord } | { kind: 'failed'; event: AuditEvent } | { kind: 'nothing' };

/**
 * @param signal gives up waiting
 * @throws SealdropError `audit-unavailable`: the table may not be read
 */
export async function arrival({ clients, stack }: DoctorContext, key: string, timeoutMs: number, signal: AbortSignal): Promise<Arrival> {
  const records = createObjectRecords(clients.dynamodb, stack.auditTable);
  const trail = createAuditTrail(clients.dynamodb, stack.auditTable);
  const bucket = stack.targetBucket;
  const deadline = Date.now() + timeoutMs;
  while (!signal.aborted) {
    const record = await records.latest(bucket, key);
    if (record !== null) return { kind: 'recorded', record };
    const { events } = await trail.history({ bucket, key, limit: EVENTS });
    const event = events.find(({ action }) => action === 'EncryptionFailed');
    if (event !== undefined) return { kind: 'failed', event };
    if (Date.now() > deadline) break;
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  return { kind: 'nothing' };
}
