import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { queues } from '../../../cli/doctor/checks/queues.ts';
import { suite } from './suite.ts';
import { healthyWorld, queueAttributes, queuePolicy, refusal, STACK, type World } from './world.ts';

describe('queues', () => {
  const ingest = (change: Record<string, string | undefined>) => (world: World) => {
    const given = { ...queueAttributes('ingest', STACK.ingestBucket), ...change };
    const Attributes = Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    world.sqs.on(GetQueueAttributesCommand, { QueueUrl: STACK.ingestQueueUrl }).resolves({ Attributes });
  };
  const waiting = (Messages: object[]) => (world: World) => {
    world.sqs
      .on(GetQueueAttributesCommand, { QueueUrl: STACK.deadLetterQueueUrl })
      .resolves({ Attributes: { SqsManagedSseEnabled: 'true', ApproximateNumberOfMessages: String(Math.max(1, Messages.length)) } });
    world.sqs.on(ReceiveMessageCommand).resolves({ Messages });
  };
  const letter = (code: string, sent: number) => ({
    MessageAttributes: { code: { DataType: 'String', StringValue: code } },
    Attributes: { SentTimestamp: String(sent) },
  });
  const ingestArn = `arn:aws:s3:::${STACK.ingestBucket}`;
  suite(queues, [
    ['no dead letters', ingest({ RedrivePolicy: undefined }), ['error ingest-queue.no-dead-letters']],
    [
      'dead letters that go elsewhere',
      ingest({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:eu-central-1:111111111111:other', maxReceiveCount: 5 }) }),
      ['error ingest-queue.no-dead-letters'],
    ],
    ['no encryption', ingest({ SqsManagedSseEnabled: 'false' }), ['warning ingest-queue.not-encrypted']],
    ['no policy', ingest({ Policy: undefined }), ['error ingest-queue.bucket-not-allowed']],
    ['a policy for another bucket', ingest({ Policy: queuePolicy('arn:aws:s3:::other') }), ['error ingest-queue.bucket-not-allowed']],
    ['a policy for any bucket', ingest({ Policy: queuePolicy('arn:aws:s3:::*') }), ['warning ingest-queue.open-to-others']],
    [
      'a policy for two buckets',
      ingest({ Policy: queuePolicy([ingestArn, 'arn:aws:s3:::other']) }),
      ['warning ingest-queue.open-to-others'],
    ],
    [
      'no queue',
      ({ sqs }) => sqs.on(GetQueueAttributesCommand, { QueueUrl: STACK.targetEventsQueueUrl }).rejects(refusal('QueueDoesNotExist')),
      ['error target-events-queue.missing'],
    ],
    ['waiting dead letters', waiting([letter('too-large', 1)]), ['warning ingest-dead-letters.waiting']],
    [
      'that it may not look',
      ({ sqs }) => sqs.on(GetQueueAttributesCommand).rejects(refusal('AccessDenied', 403)),
      [
        'warning ingest-dead-letters.could-not-look',
        'warning ingest-queue.could-not-look',
        'warning target-events-dead-letters.could-not-look',
        'warning target-events-queue.could-not-look',
      ],
    ],
  ]);
  test('say why letters wait, since when, and what to do by cause', async () => {
    const world = healthyWorld();
    waiting([letter('kms-key-disabled', 2000), letter('sse-c-blocked', 1000), letter('kms-key-disabled', 3000)])(world);
    const [finding] = await queues.run(world.context);
    expect(finding?.what).toBe('3 messages wait: kms-key-disabled, sse-c-blocked, the oldest seen since 1970-01-01T00:00:01.000Z');
    expect(finding?.nextStep).toMatch(
      /^kms-key-disabled: Enable the KMS key.*sse-c-blocked: Set BlockedEncryptionTypes.*Then "npx sealdrop redrive" sends them back\.$/,
    );
    expect(finding?.command).toBe('npx sealdrop failures --stage prod --region eu-central-1');
  });
  test('letters of the target bucket are named by their own queue', async () => {
    const world = healthyWorld();
    world.sqs
      .on(GetQueueAttributesCommand, { QueueUrl: STACK.targetEventsDeadLetterQueueUrl })
      .resolves({ Attributes: { SqsManagedSseEnabled: 'true', ApproximateNumberOfMessages: '1' } });
    world.sqs.on(ReceiveMessageCommand).resolves({ Messages: [] });
    expect(await queues.run(world.context)).toMatchObject([
      { nextStep: expect.stringContaining('start-message-move-task'), command: expect.stringMatching(/failures .*--queue target-events$/) },
    ]);
  });
  test('letters that may be counted and not read are counted', async () => {
    const world = healthyWorld();
    waiting([])(world);
    world.sqs.on(ReceiveMessageCommand).rejects(refusal('AccessDenied', 403));
    expect((await queues.run(world.context))[0]?.what).toBe('1 message waits');
  });
});
