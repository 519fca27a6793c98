/** Buckets that were there before the stack: it is told their names, and neither makes nor configures them. */
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  HeadObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const INGEST = 'incoming-files';
const TARGET = 'encrypted-files';
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack('cli/demo/policy.yml', { ingestBucket: INGEST, targetBucket: TARGET });
  for (const Bucket of [INGEST, TARGET]) {
    await stack.s3.send(new CreateBucketCommand({ Bucket }));
    await stack.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  await notify(INGEST, 'SEALDROP_QUEUE_URL', ['s3:ObjectCreated:*']);
  await notify(TARGET, 'SEALDROP_TARGET_EVENTS_QUEUE_URL', ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*']);
}, 60_000);
afterAll(() => stack.stop());

/** Tells the queue of the bucket's events, as whoever brings a bucket does. */
async function notify(
  Bucket: string,
  queue: string,
  events: ('s3:ObjectCreated:*' | 's3:ObjectRemoved:*' | 's3:LifecycleExpiration:*')[],
): Promise<void> {
  const attributes = new GetQueueAttributesCommand({ QueueUrl: stack.env[queue], AttributeNames: ['QueueArn'] });
  const QueueArn = (await stack.sqs.send(attributes)).Attributes?.QueueArn;
  const NotificationConfiguration = { QueueConfigurations: [{ QueueArn, Events: events }] };
  await stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
}

test('the environment names them', () => {
  expect([stack.ingestBucket, stack.targetBucket]).toEqual([INGEST, TARGET]);
});

test('what is dropped in one is encrypted into the other, and read through the API', async () => {
  await stack.drop('files/letter.txt', 'dear all');
  await stack.settled();
  const stored = await stack.s3.send(new HeadObjectCommand({ Bucket: TARGET, Key: 'files/letter.txt' }));
  expect(stored).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stack.env.SEALDROP_KMS_KEY_ARN });
  const answer = await stack.get('files/letter.txt');
  expect([answer.status, await answer.text()]).toEqual([200, 'dear all']);
});

test('the stack leaves their policies alone', async () => {
  for (const Bucket of [INGEST, TARGET]) {
    await expect(stack.s3.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({ name: 'NoSuchBucketPolicy' });
  }
});
