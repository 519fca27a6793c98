import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, type CopyObjectCommandInput, GetObjectTaggingCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ChangeMessageVisibilityCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { MAX_OBJECT_BYTES } from '../../src/copy/plan.ts';
import { headError, honestCopy, s3Error, secretError, tableError } from '../fixtures/aws.ts';
import {
  auditEvents,
  claims,
  DEAD_LETTER_URL,
  deadCodes,
  deadLetters,
  encryptWorld,
  MAX_RECEIVE_COUNT,
  objectRecords,
  QUEUE_URL,
} from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { INGEST_BUCKET, VERSION_ID } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };
const GONE = s3Error('NoSuchKey', 404, 'The specified key does not exist.');
const SLOW = s3Error('SlowDown', 503, 'Please reduce your request rate.');

afterEach(() => void vi.restoreAllMocks());

function failingCopy(error: Error) {
  const world = encryptWorld();
  world.s3.on(CopyObjectCommand).rejects(error);
  return { world, run: createHandler(() => world.deps) };
}

const delays = (world: ReturnType<typeof encryptWorld>) =>
  world.sqs.commandCalls(ChangeMessageVisibilityCommand).map((call) => call.args[0].input);

describe('a permanent failure', () => {
  it('is dead-lettered at its first delivery, as it came and with its cause by name', async () => {
    const { world, run } = failingCopy(GONE);
    const input = queued([notification({})]);
    expect(await run(input)).toEqual(NO_FAILURES);
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    expect(deadLetters(world)).toEqual([
      {
        QueueUrl: DEAD_LETTER_URL,
        MessageBody: input.Records[0]?.body,
        MessageAttributes: {
          code: text('source-gone'),
          cause: text('the source object does not exist (NoSuchKey: The specified key does not exist.)'),
          nextStep: text('Nothing to do if it was deleted on purpose; otherwise drop the file again.'),
          bucket: text(INGEST_BUCKET),
          key: text('reports/summary.txt'),
          versionId: text(VERSION_ID),
        },
      },
    ]);
    expect(delays(world)).toEqual([]);
  });

  it('of a key names the object that wanted it', async () => {
    const world = encryptWorld();
    world.secretsManager.on(GetSecretValueCommand).rejects(secretError('ResourceNotFoundException'));
    await createHandler(() => world.deps)(queued([notification({ key: 'cards/a.txt' })]));
    expect(deadLetters(world)).toMatchObject([
      {
        MessageAttributes: {
          code: { StringValue: 'customer-key-missing' },
          bucket: { StringValue: INGEST_BUCKET },
          key: { StringValue: 'cards/a.txt' },
        },
      },
    ]);
  });

  it('is an audit event and no record', async () => {
    const { world, run } = failingCopy(GONE);
    await run(queued([notification({})]));
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'EncryptionFailed', outcome: 'failure', code: 'source-gone' })]);
    expect(objectRecords(world)).toEqual([]);
  });

  it('is tried again when the dead-letter queue does not take it', async () => {
    const { world, run } = failingCopy(GONE);
    world.sqs.on(SendMessageCommand).rejects(new Error('no'));
    expect(await run(queued([notification({})]))).toEqual(RETRY);
  });

  it('is thrown where there is neither queue nor dead-letter queue', async () => {
    const { world, run } = failingCopy(GONE);
    world.sqs.on(SendMessageCommand).rejects(new Error('no'));
    await expect(run(event('s3-put'))).rejects.toMatchObject({ code: 'source-gone' });
  });

  it.each(['body-not-json', 'missing-key', 'odd-version'])('of broken/%s costs no call but its dead letter', async (name) => {
    const world = encryptWorld();
    expect(await createHandler(() => world.deps)(event(`broken/${name}`))).toEqual(NO_FAILURES);
    expect([...world.s3.calls(), ...world.dynamodb.calls()]).toHaveLength(0);
    expect(deadCodes(world)).toEqual(['malformed-event']);
  });

  it('of an object larger than S3 stores is told without asking S3', async () => {
    const world = encryptWorld();
    expect(await createHandler(() => world.deps)(event('broken/above-48-8-tib'))).toEqual(NO_FAILURES);
    expect(world.s3.calls()).toHaveLength(0);
    expect(deadCodes(world)).toEqual(['too-large']);
  });

  it('of the largest object that S3 stores is not its size', async () => {
    const world = encryptWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(404)).on(GetObjectTaggingCommand).resolves({});
    await createHandler(() => world.deps)(queued([notification({ size: MAX_OBJECT_BYTES })]));
    expect(deadCodes(world)).toEqual(['source-gone']);
  });

  it('ends its claim, so that no older source waits for it', async () => {
    const { world, run } = failingCopy(GONE);
    await run(queued([notification({})]));
    const [claimed, ended, ...more] = claims(world);
    expect(claimed).not.toHaveProperty('ended');
    expect(ended).toEqual({ ...claimed, ended: true });
    expect(more).toEqual([]);
  });

  it('writes into a message only what SQS takes', async () => {
    const { world, run } = failingCopy(GONE);
    await run(queued([notification({ key: 'bell\u0007\uFFFE🎉' })]));
    expect(deadLetters(world)[0]?.MessageAttributes?.key?.StringValue).toBe('bell\uFFFD\uFFFD🎉');
  });
});

describe('a failure that may heal', () => {
  it.each([
    [1, 4],
    [2, 8],
    [4, 32],
  ])('comes back after its delivery %d within %d seconds', async (delivery, ceiling) => {
    for (const [random, expected] of [
      [0.999999, ceiling],
      [0.5, ceiling / 2],
      [0, 0],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      const { world, run } = failingCopy(SLOW);
      expect(await run(queued([notification({})], delivery))).toEqual(RETRY);
      expect(delays(world)).toEqual([{ QueueUrl: QUEUE_URL, ReceiptHandle: 'receipt-0', VisibilityTimeout: expected }]);
      expect(deadLetters(world)).toEqual([]);
      expect(auditEvents(world)).toEqual([]);
    }
  });

  it('never waits longer than a quarter of an hour', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999999);
    const { world } = failingCopy(SLOW);
    await createHandler(() => ({ ...world.deps, maxReceiveCount: 100 }))(queued([notification({})], 50));
    expect(delays(world)[0]?.VisibilityTimeout).toBe(900);
  });

  it('is dead-lettered and recorded at its last delivery', async () => {
    const { world, run } = failingCopy(SLOW);
    expect(await run(queued([notification({})], MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['throttled']);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'EncryptionFailed', code: 'throttled' })]);
  });

  it('is not yet given up one delivery earlier', async () => {
    const { run } = failingCopy(SLOW);
    expect(await run(queued([notification({})], MAX_RECEIVE_COUNT - 1))).toEqual(RETRY);
  });

  it('is retried even when its delay cannot be set', async () => {
    const { world, run } = failingCopy(SLOW);
    world.sqs.on(ChangeMessageVisibilityCommand).rejects(new Error('no'));
    expect(await run(queued([notification({})]))).toEqual(RETRY);
  });

  it('is dead-lettered and recorded without a queue, since whoever invoked may drop the event', async () => {
    const { run, world } = failingCopy(SLOW);
    expect(await run(event('s3-put'))).toEqual({ batchItemFailures: [] });
    expect(deadCodes(world)).toEqual(['throttled']);
    expect(auditEvents(world)).toMatchObject([{ action: 'EncryptionFailed', code: 'throttled' }]);
  });

  it('that cannot even be dead-lettered without a queue is thrown', async () => {
    const { run, world } = failingCopy(SLOW);
    world.sqs.on(SendMessageCommand).rejects(tableError('InternalError'));
    await expect(run(event('s3-put'))).rejects.toMatchObject({ code: 'throttled' });
  });

  it('of Secrets Manager concerns only the objects that need it', async () => {
    const world = encryptWorld();
    world.secretsManager.on(GetSecretValueCommand).rejects(secretError('InternalServiceError'));
    const answer = await createHandler(() => world.deps)(queued([notification({ key: 'cards/1' }), notification({ key: 'plain/1' })]));
    expect(answer).toEqual(RETRY);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ key: 'plain/1' })]);
  });
});

describe('the audit table', () => {
  it('that cannot be looked at keeps anything from being copied', async () => {
    const world = encryptWorld();
    world.dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    expect(await createHandler(() => world.deps)(queued([notification({})]))).toEqual(RETRY);
    expect(world.s3.calls()).toHaveLength(0);
    expect(claims(world)).toEqual([]);
  });

  it('that takes no claim keeps anything from being copied', async () => {
    const world = encryptWorld();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    expect(await createHandler(() => world.deps)(queued([notification({})]))).toEqual(RETRY);
    expect(world.s3.calls()).toHaveLength(0);
    expect(claims(world)).toHaveLength(1);
  });

  it('that takes no event leaves no record, and the message comes back', async () => {
    const world = encryptWorld();
    world.dynamodb.on(PutItemCommand).resolvesOnce({}).rejects(tableError('InternalServerError'));
    expect(await createHandler(() => world.deps)(queued([notification({})]))).toEqual(RETRY);
    expect(auditEvents(world)).toHaveLength(1);
    expect(objectRecords(world)).toEqual([]);
    expect(world.log.entries).toContainEqual(expect.objectContaining({ fields: expect.objectContaining({ code: 'audit-unavailable' }) }));
  });

  it('that fails for a batch brings all of it back, also what failed anyway, to be recorded', async () => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand, { Key: 'gone' }).rejects(GONE);
    world.dynamodb.on(BatchWriteItemCommand).resolvesOnce({}).rejects(tableError('ProvisionedThroughputExceededException'));
    const answer = await createHandler(() => world.deps)(
      queued([notification({ key: 'gone' }), notification({ key: 'b', sequencer: '02' })]),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }, { itemIdentifier: 'message-1' }] });
    expect(deadLetters(world)).toEqual([]);
    expect(objectRecords(world)).toEqual([]);
    const told = world.log.entries.filter(({ message }) => message === 'event or record could not be written');
    expect(told.map(({ fields }) => [fields.key, fields.correlationId])).toEqual([
      ['gone', 'N4N7GDK58NMKJ12R'],
      ['b', 'N4N7GDK58NMKJ12R'],
    ]);
  });

  it('that fails at the last delivery keeps the cause of what failed anyway', async () => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand, { Key: 'gone' }).rejects(GONE);
    world.dynamodb.on(BatchWriteItemCommand).resolvesOnce({}).rejects(tableError('InternalServerError'));
    await createHandler(() => world.deps)(queued([notification({ key: 'gone' }), notification({ key: 'b', sequencer: '02' })], 5));
    expect(deadCodes(world)).toEqual(['source-gone', 'audit-unavailable']);
  });

  it('that takes the events but no records brings every copy back', async () => {
    const world = encryptWorld();
    world.dynamodb.on(BatchWriteItemCommand).resolvesOnce({}).resolvesOnce({}).rejects(tableError('InternalServerError'));
    const answer = await createHandler(() => world.deps)(queued([notification({ key: 'a' }), notification({ key: 'b', sequencer: '02' })]));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }, { itemIdentifier: 'message-1' }] });
    expect(auditEvents(world)).toHaveLength(2);
  });
});

describe('a message with several objects', () => {
  it('is dead-lettered with the cause of each', async () => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand, { Key: 'gone' }).rejects(GONE).on(CopyObjectCommand, { Key: 'slow' }).rejects(SLOW);
    await createHandler(() => world.deps)(queued([notification({ key: 'gone' }, { key: 'slow', sequencer: '02' })], 5));
    const [letter, ...more] = deadLetters(world);
    expect(more).toEqual([]);
    expect(letter?.MessageAttributes?.code?.StringValue).toBe('throttled');
    expect(letter?.MessageAttributes?.cause?.StringValue).toMatch(/gone: source-gone: .*; slow: throttled: /);
  });
});

describe('a dead letter', () => {
  it('that cannot be sent comes back soon, not when the queue would give it up', async () => {
    const { run, world } = failingCopy(GONE);
    world.sqs.on(SendMessageCommand).rejects(tableError('InternalError'));
    expect(await run(queued([notification({})]))).toEqual(RETRY);
    const [change] = world.sqs.commandCalls(ChangeMessageVisibilityCommand).map((call) => call.args[0].input);
    expect(change?.VisibilityTimeout).toBeLessThanOrEqual(4);
  });

  it.each([
    [983_040, undefined],
    [983_041, '983041 bytes'],
    [1_048_576, '1048576 bytes'],
  ])('of %i bytes leaves room for its cause', async (size, shortenedFrom) => {
    const world = encryptWorld();
    await createHandler(() => world.deps)(queued(['x'.repeat(size)]));
    const [letter] = deadLetters(world);
    expect(letter?.MessageBody).toBe('x'.repeat(Math.min(size, 983_040)));
    expect(letter?.MessageAttributes?.shortenedFrom?.StringValue).toBe(shortenedFrom);
  });
});

describe('the log', () => {
  it("gives every line of an object its correlation id, which is that of S3's request", async () => {
    for (const [error, delivery] of [
      [GONE, 1],
      [SLOW, 1],
      [SLOW, MAX_RECEIVE_COUNT],
    ] as const) {
      const { run, world } = failingCopy(error);
      world.sqs.on(SendMessageCommand).rejectsOnce(new Error('no')).resolves({});
      world.sqs.on(ChangeMessageVisibilityCommand).rejects(new Error('no'));
      await run(queued([notification({ key: 'a' }, { key: 'b', sequencer: '02' })], delivery));
      await run(queued([notification({ key: 'a' })], delivery));
      expect(world.log.entries.length).toBeGreaterThan(3);
      for (const { fields } of world.log.entries) expect(fields).toMatchObject({ correlationId: 'N4N7GDK58NMKJ12R' });
    }
  });
});

describe('a batch', () => {
  it('reports exactly the messages that must come back', async () => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      if (input.Key === 'gone') throw GONE;
      if (input.Key === 'slow') throw SLOW;
      return honestCopy(input);
    });
    const bodies = ['fine', 'gone', 'slow'].map((key) => notification({ key }));
    expect(await createHandler(() => world.deps)(queued([...bodies, 'not json']))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'message-2' }],
    });
    expect(deadCodes(world)).toEqual(['source-gone', 'malformed-event']);
  });

  it('retries a message while one of its objects may heal', async () => {
    const world = encryptWorld();
    world.s3.on(CopyObjectCommand, { Key: 'gone' }).rejects(GONE).on(CopyObjectCommand, { Key: 'slow' }).rejects(SLOW);
    expect(await createHandler(() => world.deps)(queued([notification({ key: 'gone' }, { key: 'slow' })]))).toEqual(RETRY);
    expect(deadLetters(world)).toEqual([]);
  });
});
