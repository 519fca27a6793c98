import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/audit.ts';
import {
  type AuditWorld,
  auditWorld,
  BY_ENCRYPT,
  changed,
  EVENTS_QUEUE_URL,
  GRACE_SECONDS,
  MAX_RECEIVE_COUNT,
} from '../fixtures/audit-world.ts';
import { headError, s3Error, tableError } from '../fixtures/aws.ts';
import { auditEvents, DEAD_LETTER_URL, deadLetters } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { queued } from '../fixtures/messages.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };
const SLOW = s3Error('SlowDown', 503);

const handle = (world: AuditWorld, input: unknown) => createHandler(() => world.deps)(input);
const delays = (world: AuditWorld) =>
  world.sqs.commandCalls(ChangeMessageVisibilityCommand).map((call) => call.args[0].input.VisibilityTimeout);
const codes = (world: AuditWorld) => deadLetters(world).map(({ MessageAttributes }) => MessageAttributes?.code?.StringValue);

describe('a record that is not there yet', () => {
  it.each([
    [0, 5],
    [1, 5],
    [5, 5],
    [6, 6],
    [100, 100],
    [GRACE_SECONDS / 2, GRACE_SECONDS / 2],
    [GRACE_SECONDS - 10, 10],
    [GRACE_SECONDS - 0.5, 1],
  ])('is looked for, %d seconds after its write, in another %d', async (age, delay) => {
    const world = auditWorld({ age });
    expect(await handle(world, queued([changed(BY_ENCRYPT)]))).toEqual(RETRY);
    expect(delays(world)).toEqual([delay]);
    expect(world.sqs.commandCalls(ChangeMessageVisibilityCommand)[0]?.args[0].input.QueueUrl).toBe(EVENTS_QUEUE_URL);
  });

  it('is looked for often enough before the queue gives up', async () => {
    let age = 1;
    for (let delivery = 1; delivery < MAX_RECEIVE_COUNT; delivery += 1) {
      const world = auditWorld({ age });
      const answer = await handle(world, queued([changed(BY_ENCRYPT)], delivery));
      if (answer.batchItemFailures.length === 0) break;
      age += delays(world)[0] ?? 0;
    }
    expect(age).toBeGreaterThanOrEqual(GRACE_SECONDS);
  });

  it('does not hold up what else a message tells', async () => {
    const world = auditWorld();
    expect(await handle(world, queued([changed(BY_ENCRYPT, { key: 'foreign' })]))).toEqual(RETRY);
    expect(auditEvents(world)).toMatchObject([{ action: 'ObjectWritten', key: 'foreign' }]);
  });
});

describe('what is not understood', () => {
  it.each([
    'target-missing-size',
    'target-missing-key',
    'target-nameless',
    'target-odd-sequencer',
    'target-of-another-bucket',
    'body-not-json',
  ])('broken/%s is dead-lettered by name at once', async (name) => {
    const world = auditWorld();
    expect(await handle(world, event(`broken/${name}`))).toEqual(NO_FAILURES);
    expect(codes(world)).toEqual(['malformed-event']);
    expect(deadLetters(world)[0]?.QueueUrl).toBe(DEAD_LETTER_URL);
    expect([...world.s3.calls(), ...world.dynamodb.calls()]).toEqual([]);
  });
});

describe('an object that cannot be inspected', () => {
  it('for good is recorded without its encryption, and dead-lettered by name', async () => {
    const world = auditWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(403));
    expect(await handle(world, queued([changed({})]))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'ObjectWritten', detail: 'Put; not inspected: access-denied' })]);
    expect(auditEvents(world)[0]).not.toHaveProperty('encryption');
    expect(codes(world)).toEqual(['access-denied']);
    expect(world.metrics.figures).toContainEqual({ name: 'Failures', value: 1, by: { code: 'access-denied' } });
  });

  it('now is tried again, and recorded when it can be', async () => {
    const world = auditWorld();
    world.s3.on(HeadObjectCommand).rejects(SLOW);
    expect(await handle(world, queued([changed({})]))).toEqual(RETRY);
    expect(auditEvents(world)).toEqual([]);
    expect(delays(world)[0]).toBeLessThanOrEqual(4);
  });

  it('at the last delivery is recorded without its encryption, and dead-lettered', async () => {
    const world = auditWorld();
    world.s3.on(HeadObjectCommand).rejects(SLOW);
    expect(await handle(world, queued([changed({})], MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toMatchObject([{ action: 'ObjectWritten', detail: 'Put; not inspected: throttled' }]);
    expect(codes(world)).toEqual(['throttled']);
  });

  it.each([404, 405, 412])('since it is gone (HEAD: %d) is recorded as such, and nothing is wrong', async (status) => {
    const world = auditWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(status));
    expect(await handle(world, queued([changed({})]))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toMatchObject([{ action: 'ObjectWritten', detail: 'Put; gone before it was inspected' }]);
    expect(codes(world)).toEqual([]);
  });
});

describe('the table', () => {
  it('that cannot be read brings the message back, and calls nothing foreign', async () => {
    const world = auditWorld();
    world.dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    expect(await handle(world, queued([changed({})]))).toEqual(RETRY);
    expect(auditEvents(world)).toEqual([]);
    expect(world.s3.calls()).toEqual([]);
  });

  it('that cannot be written brings back what was to be recorded, and nothing else', async () => {
    const world = auditWorld({ recorded: ['ours'] });
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await handle(world, queued([changed({ versionId: 'theirs' }), changed({ versionId: 'ours' })]));
    expect(answer).toEqual(RETRY);
    expect(world.metrics.sum('ForeignWrites')).toBe(0);
  });

  it('that cannot be written at the last delivery leaves the cause that was there before', async () => {
    const world = auditWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(403));
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    await handle(world, queued([changed({})], MAX_RECEIVE_COUNT));
    expect(codes(world)).toEqual(['access-denied']);
  });
});
