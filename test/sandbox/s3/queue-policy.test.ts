/** S3 and SQS together: events arrive only where the queue's own policy admits the bucket. */
import { PutBucketNotificationConfigurationCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { BUCKET, openSandbox, refusal, type Sandbox, VERSIONED } from './sandbox.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:events';
let sandbox: Sandbox;
let sqs: Sqs;
let url = '';
beforeEach(async () => {
  sandbox = await openSandbox({ beforeSend: (arn, from) => sqs.publish(arn, 'body', from) });
  sqs = openSqs(sandbox.state);
  url = String((await sqs.call('CreateQueue', { QueueName: 'events' })).QueueUrl);
});
afterEach(async () => {
  expect(sandbox.defects).toEqual([]);
  sqs.close();
  await sandbox[Symbol.asyncDispose]();
});

const admit = (Condition: object) => {
  const statement = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QUEUE, Condition };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statement });
  return sqs.call('SetQueueAttributes', { QueueUrl: url, Attributes: { Policy } });
};
const configure = (Bucket: string, QueueArn = QUEUE) =>
  sandbox.client.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'] }] },
    }),
  );
const arrived = () => sqs.receive(QUEUE, { max: 10 }).length;
const REFUSED = 'Permissions on the destination queue do not allow S3 to publish notifications from this bucket';

test('a queue without a policy takes nothing', async () => {
  expect((await refusal(configure(BUCKET))).detail).toMatchObject({ ArgumentName1: QUEUE, ArgumentValue1: REFUSED });
});

test('a queue that is not there is told from one that refuses', async () => {
  expect((await refusal(configure(BUCKET, `${QUEUE}-gone`))).detail).toMatchObject({
    ArgumentValue1: 'The destination queue does not exist',
  });
});

test('a policy that names the bucket admits that one alone', async () => {
  await admit({ ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${BUCKET}` }, StringEquals: { 'aws:SourceAccount': '000000000000' } });
  await configure(BUCKET);
  expect((await refusal(configure(VERSIONED))).detail).toMatchObject({ ArgumentValue1: REFUSED });
  await sandbox.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'told', Body: 'x' }));
  // The test event and the object's.
  expect(arrived()).toBe(2);
});

test('an account other than the bucket’s is refused', async () => {
  await admit({ StringEquals: { 'aws:SourceAccount': '111111111111' } });
  expect((await refusal(configure(BUCKET))).detail).toMatchObject({ ArgumentValue1: REFUSED });
});

test('a policy that changes later loses events and fails no write', async () => {
  await admit({ ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${BUCKET}` } });
  await configure(BUCKET);
  await admit({ ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${VERSIONED}` } });
  await sandbox.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'lost', Body: 'x' }));
  expect(arrived()).toBe(1);
});
