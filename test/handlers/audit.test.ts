import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectTaggingCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/audit.ts';
import { type AuditWorld, auditWorld, BY_ENCRYPT, BY_POLICY, changed, EVENT_TIME, GRACE_SECONDS } from '../fixtures/audit-world.ts';
import { headError, tableError } from '../fixtures/aws.ts';
import { auditEvents, deadLetters } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { queued } from '../fixtures/messages.ts';
import { ETAG, STACK_KEY, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };

const handle = (world: AuditWorld, input: unknown) => createHandler(() => world.deps)(input);
const actions = (world: AuditWorld) => auditEvents(world).map(({ action }) => action);

describe("a write of the encrypt function's", () => {
  it('that has a record is told from others by its version id, and costs one look-up', async () => {
    const world = auditWorld({ recorded: ['v2', 'v1'] });
    expect(await handle(world, queued([changed({ ...BY_ENCRYPT, versionId: 'v1' })]))).toEqual(NO_FAILURES);
    expect(world.dynamodb.calls()).toHaveLength(1);
    expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(1);
    expect(world.s3.calls()).toEqual([]);
    expect(world.metrics.figures).toEqual([]);
  });

  it.each([
    [BY_ENCRYPT.principalId, 0],
    ['AWS:AROAEXAMPLEANALYST:somebody', 1],
  ])('without versions is told by its etag and by who wrote: the same bytes by %s are %d foreign writes', async (principalId, foreign) => {
    const world = auditWorld();
    world.dynamodb.on(QueryCommand).resolves({ Items: [marshall({ record: { etag: ETAG } })] });
    await handle(world, queued([changed({ principalId, versionId: null })]));
    expect(auditEvents(world)).toHaveLength(foreign);
  });

  it('is ours by its record alone, whoever S3 says it was', async () => {
    const world = auditWorld({ recorded: ['v1'] });
    await handle(world, queued([changed({ versionId: 'v1' })]));
    expect(auditEvents(world)).toEqual([]);
  });
});

describe("somebody else's write", () => {
  it('is recorded with who, from where, when and how it is encrypted', async () => {
    const world = auditWorld({ recorded: ['v0'] });
    expect(await handle(world, event('target-put'))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toEqual([
      {
        action: 'ObjectWritten',
        outcome: 'success',
        bucket: TARGET_BUCKET,
        key: 'reports/2026/annual report.pdf',
        actor: 'AWS:AROAEXAMPLEANALYST:somebody',
        sourceIpAddress: '192.0.2.44',
        at: EVENT_TIME,
        recordedAt: expect.any(String),
        uniqueId: '0065A1B2C3D4E5F701',
        correlationId: 'P5P8HEL69ONLK23S',
        versionId: '4tM5lruKmdqYspUEUnK.snTqYe4ejcsI',
        size: 48213,
        detail: 'Put',
        encryption: { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
      },
    ]);
    expect(world.metrics.figures).toEqual([{ name: 'ForeignWrites', value: 1, by: {} }]);
  });

  it('that says to be a message is recorded as one that says so', async () => {
    const stored = { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true };
    const world = auditWorld({ stored: { ...stored, ContentEncoding: 'x-sealdrop-cse-kms' } });
    await handle(world, queued([changed({})]));
    expect(auditEvents(world)[0]).toMatchObject({ encryption: { mode: 'cse-kms' }, detail: 'Put; a message, as it says of itself' });
  });

  it('is looked at without a key, in exactly that version and state', async () => {
    const world = auditWorld();
    await handle(world, queued([changed({ key: 'a.txt', versionId: 'v1' })]));
    expect(world.s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input)).toEqual([
      { Bucket: TARGET_BUCKET, ExpectedBucketOwner: TARGET_OWNER, Key: 'a.txt', VersionId: 'v1', IfMatch: ETAG },
    ]);
    expect(world.s3.calls()).toHaveLength(1);
  });

  it('is the same event in every delivery', async () => {
    const world = auditWorld();
    await handle(world, queued([changed({})]));
    await handle(world, queued([changed({})], 3));
    const keys = world.dynamodb
      .calls()
      .flatMap(({ args: [{ input }] }) => ('Item' in input ? [{ pk: input.Item?.pk, sk: input.Item?.sk }] : []));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toEqual(keys[1]);
  });

  it('that comes again when its version is gone keeps what was found at first', async () => {
    const world = auditWorld();
    await handle(world, queued([changed({})]));
    world.s3.on(HeadObjectCommand).rejects(headError(404));
    world.dynamodb.on(PutItemCommand).rejects(tableError('ConditionalCheckFailedException'));
    expect(await handle(world, queued([changed({})], 2))).toEqual(NO_FAILURES);
    const conditions = world.dynamodb.commandCalls(PutItemCommand).map((call) => call.args[0].input.ConditionExpression);
    expect(conditions).toEqual([undefined, 'attribute_not_exists(pk)']);
  });

  it.each(['ObjectCreated:Post', 'ObjectCreated:Copy', 'ObjectCreated:CompleteMultipartUpload'])('by %s is one too', async (eventName) => {
    const world = auditWorld();
    await handle(world, queued([changed({ eventName })]));
    expect(auditEvents(world)).toMatchObject([{ action: 'ObjectWritten', detail: eventName.slice('ObjectCreated:'.length) }]);
  });

  it.each(['AWS:AROAEXAMPLEENCRYPTOTHER:x', 'AROAEXAMPLEENCRYPT', 'AWS:AIDAEXAMPLE', '000000000000'])(
    'by %s is not taken for the encrypt function',
    async (principalId) => {
      const world = auditWorld();
      expect(await handle(world, queued([changed({ principalId })]))).toEqual(NO_FAILURES);
      expect(auditEvents(world)).toMatchObject([{ action: 'ObjectWritten', actor: principalId }]);
    },
  );
});

describe('a write of ours that has no record', () => {
  const unrecorded = queued([changed(BY_ENCRYPT)]);

  it('is recorded as it is once the grace is over', async () => {
    const world = auditWorld({ age: GRACE_SECONDS });
    expect(await handle(world, unrecorded)).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toMatchObject([
      { action: 'ObjectWritten', actor: BY_ENCRYPT.principalId, detail: 'Copy by the encrypt function, without a record' },
    ]);
  });

  it('waits until then', async () => {
    const world = auditWorld({ age: GRACE_SECONDS - 1 });
    expect(await handle(world, unrecorded)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    expect(auditEvents(world)).toEqual([]);
    expect(world.metrics.figures).toEqual([]);
    expect(world.log.entries).toEqual([expect.objectContaining({ fields: expect.objectContaining({ code: 'record-missing' }) })]);
  });

  it('is recorded at its last delivery, rather than lost', async () => {
    const world = auditWorld();
    expect(await handle(world, queued([changed(BY_ENCRYPT)], 10))).toEqual(NO_FAILURES);
    expect(actions(world)).toEqual(['ObjectWritten']);
    expect(deadLetters(world)).toEqual([]);
  });
});

describe('a deletion', () => {
  it.each([
    ['target-delete-marker', { detail: 'a delete marker', actor: 'AWS:AROAEXAMPLEANALYST:somebody' }, 1],
    ['target-delete-version', { detail: 'the version', actor: 'AWS:AROAEXAMPLEANALYST:somebody' }, 1],
    ['target-delete-unversioned', { detail: 'the object', actor: 'AWS:AROAEXAMPLEANALYST:somebody' }, 1],
    ['target-lifecycle-delete', { detail: 'the version', actor: 's3-lifecycle' }, 0],
    ['target-lifecycle-delete-marker', { detail: 'a delete marker', actor: 's3-lifecycle' }, 0],
  ])('%s is recorded without a look at S3', async (name, told, counted) => {
    const world = auditWorld();
    expect(await handle(world, event(name))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({
        action: 'ObjectDeleted',
        outcome: 'success',
        key: 'reports/2026/annual report.pdf',
        at: EVENT_TIME,
        ...told,
      }),
    ]);
    expect(world.s3.calls()).toEqual([]);
    expect(world.metrics.sum('ForeignDeletes')).toBe(counted);
  });
});

describe('drift', () => {
  it('is an event of its own beside the write, and a figure', async () => {
    const world = auditWorld({ stored: { ServerSideEncryption: 'AES256' } });
    await handle(world, queued([changed({})]));
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'ObjectWritten', outcome: 'success', encryption: { mode: 'sse-s3' } }),
      expect.objectContaining({
        action: 'DriftFound',
        outcome: 'failure',
        code: 'drift',
        detail: `found sse-s3; policy.yml says sse-kms under ${STACK_KEY} with the Bucket Key on`,
        encryption: { mode: 'sse-s3' },
        at: EVENT_TIME,
        uniqueId: '0A',
      }),
    ]);
    expect(world.metrics.sum('DriftFound')).toBe(1);
    expect(world.log.entries).toContainEqual(expect.objectContaining({ level: 'error', message: 'DriftFound' }));
  });

  it('of a version of ours is none: its answer was compared when it was written', async () => {
    const world = auditWorld({ recorded: ['v1'], stored: { ServerSideEncryption: 'AES256' } });
    await handle(world, queued([changed(BY_ENCRYPT)]));
    expect(world.s3.calls()).toEqual([]);
  });

  it('is not counted when it could not be recorded', async () => {
    const world = auditWorld({ stored: { ServerSideEncryption: 'AES256' } });
    world.dynamodb.rejects(new Error('no'));
    world.dynamodb.on(QueryCommand).resolves({ Items: [] });
    expect(await handle(world, queued([changed({})]))).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    expect(world.metrics.sum('DriftFound')).toBe(0);
    expect(world.metrics.figures).toContainEqual({ name: 'Failures', value: 1, by: { code: 'audit-unavailable' } });
  });
});

describe('a batch', () => {
  it('records all in one table call, each with the correlation id of its request', async () => {
    const world = auditWorld({ stored: BY_POLICY });
    await handle(world, queued([changed({ key: 'a' }, { key: 'b', eventName: 'ObjectRemoved:Delete' }), changed({ key: 'c' })]));
    expect(auditEvents(world).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(world.dynamodb.calls().filter(({ args: [command] }) => !(command instanceof QueryCommand))).toHaveLength(1);
    expect(world.log.entries).toHaveLength(3);
    for (const { fields } of world.log.entries) expect(fields).toMatchObject({ correlationId: 'P5P8HEL69ONLK23S' });
    for (const { correlationId } of auditEvents(world)) expect(correlationId).toBe('P5P8HEL69ONLK23S');
  });

  it('does nothing for what is no change of an object', async () => {
    const world = auditWorld();
    expect(await handle(world, event('target-tagging'))).toEqual(NO_FAILURES);
    expect(await handle(world, event('sqs-test-event'))).toEqual(NO_FAILURES);
    expect([...world.s3.calls(), ...world.dynamodb.calls(), ...world.sqs.calls()]).toEqual([]);
  });

  it('writes its figures once, also when it fails', async () => {
    const world = auditWorld();
    await handle(world, queued([changed({}), changed({})]));
    expect(world.metrics.flushes).toBe(1);
    world.sqs.rejects(new Error('no'));
    await expect(handle(world, { Records: [{ eventVersion: '9' }] })).rejects.toMatchObject({ code: 'malformed-event' });
    expect(world.metrics.flushes).toBe(2);
  });

  it('asks for tags nowhere but where a rule turns on them', async () => {
    const world = auditWorld();
    await handle(world, queued([changed({})]));
    expect(world.s3.commandCalls(GetObjectTaggingCommand)).toEqual([]);
  });
});
