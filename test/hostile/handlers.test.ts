/** Whatever comes by the queues: the functions never crash, never answer another shape, and no message is lost. */
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, type CopyObjectCommandInput, HeadObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHandler as createAudit } from '../../handlers/audit.ts';
import { createHandler as createEncrypt } from '../../handlers/encrypt.ts';
import { SealdropError } from '../../src/errors.ts';
import { compareSequencers, parseIngestEvent, parseTargetEvents } from '../../src/events/index.ts';
import { type AuditWorld, auditWorld, changed } from '../fixtures/audit-world.ts';
import { honestCopy, s3Error, tableError } from '../fixtures/aws.ts';
import { auditEvents, type EncryptWorld, encryptWorld, objectRecords } from '../fixtures/encrypt-world.ts';
import { event, eventNames } from '../fixtures/events.ts';
import { bridged, notification, queued } from '../fixtures/messages.ts';
import { hostileJson, hostileText, possibleKeys } from './arbitraries.ts';
import { mutated } from './mutations.ts';
import { type Ends, expectSettled } from './settled.ts';

const FILES = ['.', 'broken', 'keys'].flatMap((folder) => eventNames(folder).map((name) => event(`${folder}/${name}`)));

/** The text of a message that a queue can hold. */
const asBody = (document: unknown) =>
  (typeof document === 'string' ? document : JSON.stringify(document)).replace(
    /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu,
    '',
  ) || '-';

/** The documents in the files, without the queue around them. */
const INNER = FILES.flatMap((document) =>
  [parseIngestEvent(document), parseTargetEvents(document)].flat().map(({ body }): unknown => {
    try {
      return JSON.parse(body);
    } catch {
      return body;
    }
  }),
);

const sound = fc.record({ key: possibleKeys, size: fc.nat(1_000_000), sequencer: fc.constantFrom('01', '02', '0a', 'F'.repeat(64)) });
const bodies = (make: (dropped: { key: string; size: number; sequencer: string }) => unknown) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...INNER).chain(mutated) },
    { weight: 3, arbitrary: sound.map(make) },
    { weight: 2, arbitrary: sound.map(make).chain(mutated) },
    { weight: 1, arbitrary: hostileJson },
    { weight: 1, arbitrary: hostileText },
  );

const batches = (make: (dropped: { key: string; size: number; sequencer: string }) => unknown) =>
  fc.record({
    documents: fc.array(bodies(make), { minLength: 1, maxLength: 10 }),
    receiveCount: fc.constantFrom(1, 1, 4, 5, 10, 11),
    fault: fc.constantFrom('none', 'none', 'S3 denies', 'half of S3 denies', 'the table is down', 'the dead-letter queue is down'),
  });

type Fault = 'none' | 'S3 denies' | 'half of S3 denies' | 'the table is down' | 'the dead-letter queue is down';

function breakDown(world: EncryptWorld | AuditWorld, fault: string) {
  let calls = 0;
  const denied = (isDenied: boolean) => {
    if (isDenied) throw s3Error('AccessDenied', 403);
  };
  const faults: Record<Fault, () => unknown> = {
    none: () => {},
    'S3 denies': () => [
      world.s3.on(CopyObjectCommand).rejects(s3Error('AccessDenied', 403)),
      world.s3.on(HeadObjectCommand).rejects(s3Error('Unknown', 403)),
    ],
    'half of S3 denies': () =>
      world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
        calls += 1;
        denied(calls % 2 === 0);
        return honestCopy(input);
      }),
    'the table is down': () => world.dynamodb.on(BatchWriteItemCommand).rejects(tableError('InternalServerError')),
    'the dead-letter queue is down': () => world.sqs.on(SendMessageCommand).rejects(new Error('down')),
  };
  faults[fault as Fault]();
}

const sum = (all: Ends, one: Ends): Ends => ({
  done: all.done + one.done,
  retried: all.retried + one.retried,
  deadLettered: all.deadLettered + one.deadLettered,
});

describe('the encrypt function', () => {
  const isEncrypted = (world: EncryptWorld) => {
    const records = objectRecords(world);
    return (ref: { key: string; alternativeKey?: string; sequencer: string }) =>
      records.some(
        ({ key, source }) => (key === ref.key || key === ref.alternativeKey) && compareSequencers(source.sequencer, ref.sequencer) >= 0,
      );
  };

  it('brings every message of a batch to one end', async () => {
    let ends: Ends = { done: 0, retried: 0, deadLettered: 0 };
    const make = (dropped: { key: string; size: number; sequencer: string }) =>
      dropped.size % 3 === 0 ? bridged(dropped) : notification(dropped);
    await fc.assert(
      fc.asyncProperty(batches(make), async ({ documents, receiveCount, fault }) => {
        const world = encryptWorld();
        breakDown(world, fault);
        const batch = queued(documents.map(asBody), receiveCount);
        const answer = await createEncrypt(() => world.deps)(batch);
        const messages = parseIngestEvent(batch);
        expect(messages).toHaveLength(documents.length);
        if (fault === 'the dead-letter queue is down') world.sqs.resetHistory();
        ends = sum(ends, expectSettled(messages, answer, world, isEncrypted(world)));
      }),
      { numRuns: 400 },
    );
    expect(Math.min(...Object.values(ends)), JSON.stringify(ends)).toBeGreaterThan(100);
  });

  it('dead-letters what it cannot do of any event that comes without a queue, or throws it by name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constantFrom(...FILES, ...INNER).chain(mutated), hostileJson), async (document) => {
        const world = encryptWorld();
        const answer = await createEncrypt(() => world.deps)(document).catch((error: unknown) => error);
        if (answer instanceof Error) expect(answer).toBeInstanceOf(SealdropError);
        else expectSettled(parseIngestEvent(document), answer, world, isEncrypted(world));
      }),
      { numRuns: 400 },
    );
  });

  it.each([500, 3_000])('settles a message of %i records, of which some are bad', async (count) => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      if (input.Key?.endsWith('7')) throw s3Error('AccessDenied', 403, 'Access Denied '.repeat(10));
      return honestCopy(input);
    });
    const many = notification(...Array.from({ length: count }, (_, index) => ({ key: `many/${index}` })));
    const batch = queued([many, notification({ key: 'alone' })]);
    const answer = await createEncrypt(() => world.deps)(batch);
    const ends = expectSettled(parseIngestEvent(batch), answer, world, isEncrypted(world));
    expect(ends).toEqual({ done: 1, retried: 0, deadLettered: 1 });
  });
});

describe('the audit function', () => {
  const isRecorded = (world: AuditWorld) => {
    const events = auditEvents(world);
    return (item: { key: string; uniqueId: string }) => events.some(({ key, uniqueId }) => key === item.key && uniqueId === item.uniqueId);
  };
  const make = ({ key, size, sequencer }: { key: string; size: number; sequencer: string }): unknown =>
    JSON.parse(
      changed({
        key: encodeURIComponent(key).replaceAll('%20', '+'),
        sequencer,
        eventName: size % 3 === 0 ? 'ObjectRemoved:DeleteMarkerCreated' : 'ObjectCreated:Put',
      }),
    );

  it('brings every message of a batch to one end', async () => {
    let ends: Ends = { done: 0, retried: 0, deadLettered: 0 };
    await fc.assert(
      fc.asyncProperty(batches(make), async ({ documents, receiveCount, fault }) => {
        const world = auditWorld();
        breakDown(world, fault);
        const batch = queued(documents.map(asBody), receiveCount);
        const answer = await createAudit(() => world.deps)(batch);
        if (fault === 'the dead-letter queue is down') world.sqs.resetHistory();
        ends = sum(ends, expectSettled(parseTargetEvents(batch), answer, world, isRecorded(world)));
      }),
      { numRuns: 400 },
    );
    expect(Math.min(...Object.values(ends)), JSON.stringify(ends)).toBeGreaterThan(100);
  });

  it('settles a message of 3,000 records', async () => {
    const world = auditWorld();
    const batch = queued([
      changed(...Array.from({ length: 3_000 }, (_, index) => ({ key: `many/${index}`, sequencer: index.toString(16) }))),
    ]);
    const answer = await createAudit(() => world.deps)(batch);
    expect(expectSettled(parseTargetEvents(batch), answer, world, isRecorded(world))).toEqual({ done: 1, retried: 0, deadLettered: 0 });
  });
});
