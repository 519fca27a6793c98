import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import type { Example } from '../../../cli/doctor/probes/plan.ts';
import type { ProbeOptions } from '../../../cli/doctor/probes/probe.ts';
import { roundTrips } from '../../../cli/doctor/probes/round-trip.ts';
import { denied, healthyWorld, NOT_ALLOWED, refusal, STACK, type World } from './world.ts';

describe('a round trip', () => {
  const KEY = 'cards/sealdrop-doctor/1a';
  const example: Example = {
    rule: 'default',
    encryption: { mode: 'sse-kms', bucketKey: true },
    facts: { key: KEY, size: 3, contentType: 'x/y', tags: { class: 'a b' } },
  };
  const options = (change: Partial<ProbeOptions> = {}): ProbeOptions => ({
    timeoutMs: 0,
    api: null,
    signal: new AbortController().signal,
    ...change,
  });
  const asAsked = { mode: 'sse-kms', keyArn: STACK.keyArn, bucketKey: true };
  const records = ':prefix';
  /** What the table answers to a look at records, and at events. */
  const table = ({ dynamodb }: World, { record, event }: { record?: object; event?: object }) =>
    dynamodb.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues = {} }) => {
      const member =
        records in ExpressionAttributeValues ? record && { record } : event && { event: { at: '2026-11-20T09:30:15.123Z', ...event } };
      return { Items: member === undefined ? [] : [marshall(member)] };
    });
  const world = (outcome: { record?: object; event?: object } = {}) => {
    const made = healthyWorld();
    table(made, outcome);
    made.s3.on(PutObjectCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({
      Versions: [
        { Key: KEY, VersionId: 'v1' },
        { Key: `${KEY}b`, VersionId: 'v2' },
      ],
    });
    made.s3.on(DeleteObjectCommand).resolves({});
    made.sqs.on(ReceiveMessageCommand).resolves({ Messages: [] });
    made.sqs.on(DeleteMessageCommand).resolves({});
    return made;
  };
  const run = (made: World, given = options()) => roundTrips(made.context, [example], given);

  test('drops what the plan says, compares the record, and removes its own versions alone', async () => {
    const made = world({ record: { encryption: asAsked } });
    const { findings, proofs } = await run(made);
    expect(findings).toEqual([]);
    expect(proofs).toMatchObject([{ key: KEY, ms: expect.any(Number), downloaded: false }]);
    expect(made.s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: STACK.ingestBucket,
      Key: KEY,
      ContentType: 'x/y',
      Tagging: 'class=a+b',
      Body: expect.objectContaining({ length: 3 }),
    });
    const removed = made.s3.commandCalls(DeleteObjectCommand).map(({ args }) => `${args[0].input.Bucket} ${args[0].input.VersionId}`);
    expect(removed.sort()).toEqual([`${STACK.ingestBucket} v1`, `${STACK.targetBucket} v1`]);
  });

  test.each([
    ['mode', { ...asAsked, mode: 'sse-s3' }],
    ['key', { ...asAsked, keyArn: 'arn:aws:kms:eu-central-1:111111111111:key/other' }],
    ['bucket key', { ...asAsked, bucketKey: false }],
  ])('finds another %s than the policy says', async (_, encryption) => {
    const { findings, proofs } = await run(world({ record: { encryption } }));
    expect(findings).toMatchObject([{ id: 'round-trip.other-encryption', evidence: { expected: asAsked, found: encryption } }]);
    expect(proofs).toMatchObject([{ ms: null }]);
  });

  test('that failed says its code and what to do, and takes its own letter away', async () => {
    const made = world({ event: { action: 'EncryptionFailed', code: 'kms-key-disabled', detail: 'the key is disabled' } });
    made.sqs.on(ReceiveMessageCommand).resolves({
      Messages: [
        { ReceiptHandle: 'theirs', MessageAttributes: { key: { DataType: 'String', StringValue: 'cards/a' } } },
        { ReceiptHandle: 'own', MessageAttributes: { key: { DataType: 'String', StringValue: KEY } } },
      ],
    });
    const { findings } = await run(made);
    expect(findings).toMatchObject([
      {
        id: 'round-trip.failed',
        what: "not encrypted for kms-key-disabled: sse-kms (the stack's key, bucket key)",
        nextStep: expect.stringContaining('Enable the KMS key'),
        evidence: { code: 'kms-key-disabled', details: ['the key is disabled'] },
      },
    ]);
    expect(made.sqs.commandCalls(DeleteMessageCommand).map(({ args }) => args[0].input.ReceiptHandle)).toEqual(['own']);
  });

  test('that goes nowhere is lost after the time given', async () => {
    const started = Date.now();
    const { findings } = await run(world(), options({ timeoutMs: 300 }));
    expect(findings).toMatchObject([{ id: 'round-trip.lost' }]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(300);
  });

  test('that fail for one cause are one finding, and so are those that go nowhere', async () => {
    const two = [example, { ...example, encryption: { mode: 'sse-s3' as const } }];
    const failed = world({ event: { action: 'EncryptionFailed', code: 'kms-key-disabled' } });
    const { findings } = await roundTrips(failed.context, two, options());
    expect(findings).toMatchObject([
      { id: 'round-trip.failed', evidence: { encryptions: [expect.stringContaining('sse-kms'), 'sse-s3'] } },
    ]);
    expect((await roundTrips(world().context, two, options())).findings).toMatchObject([{ id: 'round-trip.lost' }]);
  });

  test('that is interrupted says nothing and leaves nothing', async () => {
    const made = world();
    const { findings } = await run(made, options({ timeoutMs: 60_000, signal: AbortSignal.timeout(50) }));
    expect(findings).toEqual([]);
    expect(made.s3.commandCalls(DeleteObjectCommand)).toHaveLength(2);
  });

  test('could not be tried by somebody who may not drop', async () => {
    const made = world();
    made.s3.on(PutObjectCommand).rejects(denied(NOT_ALLOWED));
    expect((await run(made)).findings).toMatchObject([
      { id: 'round-trip.could-not-look', severity: 'warning', evidence: { action: 's3:PutObject' } },
    ]);
  });

  test('could not be followed by somebody who may not read the table, and is removed', async () => {
    const made = world();
    made.dynamodb.on(QueryCommand).rejects(refusal('AccessDeniedException'));
    expect((await run(made)).findings).toMatchObject([{ id: 'round-trip.could-not-look', evidence: { action: 'dynamodb:Query' } }]);
    expect(made.s3.commandCalls(DeleteObjectCommand)).toHaveLength(2);
  });

  test('says what it could not remove', async () => {
    const made = world({ record: { encryption: asAsked } });
    made.s3.on(DeleteObjectCommand, { Bucket: STACK.targetBucket }).rejects(denied(NOT_ALLOWED));
    expect((await run(made)).findings).toMatchObject([{ id: 'round-trip.left-behind', resource: `${STACK.targetBucket}/${KEY}` }]);
  });
});
