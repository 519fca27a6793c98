/** Whether what somebody else writes into the target bucket is recorded, told by its encryption, and told apart from our own writes. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { createAuditTrail } from '../../../src/audit/trail.ts';
import type { Encryption } from '../../../src/policy/schema.ts';
import { CannotLook } from '../../cannot-look.ts';
import { errorMessage } from '../../sdk-error.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding } from '../finding.ts';
import { couldNotLook } from '../look.ts';
import { removeObjects } from './clean-up.ts';
import { differences, expectedEncryption, nameOf } from './expected.ts';
import { membersOf, planProbes } from './plan.ts';
import { awsCause, type ProbeOptions, type Tried } from './probe.ts';

const LOOK_EVERY_MS = 250;
const EVENTS = 20;
const CUSTOMER_KEY_BYTES = 32;

/** What the operator wrote into the target bucket himself: to the pipeline, a foreign write. */
export interface ForeignWrite {
  key: string;
  encryption: Encryption;
}

/**
 * Removes what was written, whatever comes of it.
 * @param written by another probe, under an encryption of the policy
 * @throws CannotLook
 */
export async function tryAuditTrail(context: DoctorContext, written: ForeignWrite[], options: ProbeOptions): Promise<Tried> {
  const underCustomerKey = await writeUnderCustomerKey(context);
  const writes = [...written, ...underCustomerKey.written];
  try {
    if (writes.length === 0)
      return { findings: underCustomerKey.findings, held: [], skipped: ['the audit of what others write: nothing could be written'] };
    const recorded = (await Promise.all(writes.map((write) => recordOf(context, write, options)))).flat();
    const findings = [...underCustomerKey.findings, ...recorded];
    const modes = [...new Set(writes.map(({ encryption }) => encryption.mode))].join(', ');
    const held = recorded.length > 0 || options.signal.aborted ? [] : [`a write of somebody else is recorded (${modes})`];
    return { findings, held, skipped: [] };
  } catch (cause) {
    return { findings: [...underCustomerKey.findings, notFollowed(context, cause)], held: [], skipped: [] };
  } finally {
    for (const { key } of writes) await removeObjects(context, key);
  }
}

/**
 * What the pipeline wrote must not be taken for somebody else's, whose writes have come by now.
 * @throws CannotLook
 */
export async function ownWritesTold(context: DoctorContext, keys: string[]): Promise<Finding[]> {
  let histories: AuditEvent[][];
  try {
    histories = await Promise.all(keys.map((key) => eventsOf(context, key)));
  } catch (cause) {
    return [notFollowed(context, cause)];
  }
  const taken = histories.flat().filter(({ action }) => action === 'ObjectWritten');
  if (taken.length === 0) return [];
  return [
    error('audit-trail.own-write-foreign', {
      resource: context.stack.targetBucket,
      what: `the audit function takes ${taken.length} ${taken.length === 1 ? 'write' : 'writes'} of the pipeline for somebody else's`,
      nextStep:
        'Deploy the stack again: the role of the function encrypt may have been made anew since. If it stays, its writes are recorded twice.',
      evidence: { actors: [...new Set(taken.map(({ actor }) => actor))], details: taken.map(({ detail }) => detail) },
    }),
  ];
}

/** Under a key that is nobody's and is forgotten at once: that HEAD then says 400, and so proves SSE-C, is what the audit function relies on. */
async function writeUnderCustomerKey(context: DoctorContext): Promise<{ written: ForeignWrite[]; findings: Finding[] }> {
  const { clients, stack, policy } = context;
  const example = planProbes(policy, randomUUID()).examples.find(({ encryption }) => encryption.mode === 'sse-c');
  if (example === undefined) return { written: [], findings: [] };
  const { key } = example.facts;
  const put = new PutObjectCommand({
    Bucket: stack.targetBucket,
    ExpectedBucketOwner: stack.targetBucketOwner,
    Key: key,
    Body: 'sealdrop doctor',
    ...membersOf(example),
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: randomBytes(CUSTOMER_KEY_BYTES).toString('base64'),
  });
  try {
    await clients.s3.send(put);
    return { written: [{ key, encryption: example.encryption }], findings: [] };
  } catch (cause) {
    const hopeless = CannotLook.because(cause);
    if (hopeless !== null) throw hopeless;
    // That the bucket blocks SSE-C is said by its settings.
    if (/block/i.test(errorMessage(cause))) return { written: [], findings: [] };
    const question = { subject: 'audit-trail', resource: `${stack.targetBucket}/${key}`, action: 's3:PutObject' } as const;
    return { written: [], findings: [couldNotLook(question, cause)] };
  }
}

async function recordOf(context: DoctorContext, { key, encryption }: ForeignWrite, options: ProbeOptions): Promise<Finding[]> {
  const { stack } = context;
  const resource = `${stack.targetBucket}/${key}`;
  const events = await awaitWritten(context, key, options);
  const written = events.find(({ action }) => action === 'ObjectWritten');
  if (options.signal.aborted) return [];
  if (written === undefined)
    return [
      error('audit-trail.write-not-recorded', {
        resource,
        what: `a direct write into the target bucket was not recorded within ${options.timeoutMs / 1000} s`,
        nextStep: `Look at the notifications of the target bucket, at the target-events queue, and at the log group /aws/lambda/sealdrop-${stack.stage}-audit.`,
        evidence: { timeoutSeconds: options.timeoutMs / 1000, queue: stack.targetEventsQueueUrl },
      }),
    ];
  const expected = await expectedEncryption(context, encryption);
  const different = differences(expected, written.encryption ?? {});
  const drift = events.find(({ action }) => action === 'DriftFound');
  if (different.length === 0 && drift === undefined) return [];
  return [
    error('audit-trail.other-encryption', {
      resource,
      what: `a direct write under ${nameOf(encryption)} was recorded otherwise: ${[...different, ...(drift === undefined ? [] : ['as drift'])].join(', ')}`,
      nextStep:
        'Deploy this policy; if it is deployed, look at the log group of the function audit: what it says of others cannot be relied on.',
      evidence: { expected, found: written.encryption ?? null, detail: drift?.detail ?? written.detail },
    }),
  ];
}

async function awaitWritten(context: DoctorContext, key: string, { timeoutMs, signal }: ProbeOptions): Promise<AuditEvent[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const events = await eventsOf(context, key);
    if (events.some(({ action }) => action === 'ObjectWritten') || signal.aborted || Date.now() > deadline) return events;
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

async function eventsOf({ clients, stack }: DoctorContext, key: string): Promise<AuditEvent[]> {
  const trail = createAuditTrail(clients.dynamodb, stack.auditTable);
  return (await trail.history({ bucket: stack.targetBucket, key, limit: EVENTS })).events;
}

/** @throws CannotLook */
function notFollowed({ stack }: DoctorContext, cause: unknown): Finding {
  const source = awsCause(cause);
  const hopeless = CannotLook.because(source);
  if (hopeless !== null) throw hopeless;
  return couldNotLook({ subject: 'audit-trail', resource: stack.auditTable, action: 'dynamodb:Query' }, source);
}
