import { rmSync } from 'node:fs';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AwsError } from '../../../sandbox/aws-error.ts';
import { BUCKET, type EventRecord, openSandbox, refusal, type Sandbox, VERSIONED } from './sandbox.ts';

const TRUST = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:events';
let sandbox: Sandbox;
let missingQueues: string[] = [];
/** Buckets that may send to the queues; `null`: all. */
let admitted: string[] | null = null;
beforeEach(async () => {
  missingQueues = [];
  admitted = null;
  sandbox = await openSandbox({
    beforeSend: (arn, from) => {
      if (from?.service !== 's3.amazonaws.com' || (admitted !== null && !admitted.includes(from.sourceArn)))
        throw new AwsError(403, 'AccessDenied', 'the queue’s policy refuses');
      if (missingQueues.includes(arn)) throw new AwsError(400, 'QueueDoesNotExist', 'The specified queue does not exist.');
    },
  });
});
afterEach(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const configure = (NotificationConfiguration: NotificationConfiguration, Bucket = BUCKET) =>
  sandbox.client.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
const everything = (Bucket: string) =>
  configure({ QueueConfigurations: [{ Id: 'all', QueueArn: QUEUE, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] }] }, Bucket);
const put = (Key: string, Bucket = BUCKET) => sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'body' }));
const records = (): EventRecord[] => sandbox.sent.flatMap(({ message }) => message.Records ?? []);
const seen = () => records().map(({ eventName, s3 }) => [eventName, s3.object.key]);

test('configuring sends s3:TestEvent, without Records, to every queue', async () => {
  await everything(BUCKET);
  expect(sandbox.sent).toEqual([
    {
      arn: QUEUE,
      from: { service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${BUCKET}` },
      message: expect.objectContaining({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: BUCKET, Time: expect.any(String) }),
    },
  ]);
  expect(records()).toEqual([]);
});

test('a put is told in S3’s structure', async () => {
  await everything(BUCKET);
  const { ETag, $metadata } = await put('a/b c+é.txt');
  expect(sandbox.sent.at(-1)).toEqual({
    arn: QUEUE,
    from: { service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${BUCKET}` },
    message: {
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          awsRegion: 'us-east-1',
          eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          eventName: 'ObjectCreated:Put',
          userIdentity: { principalId: expect.stringMatching(/^AWS:AIDA[A-Z2-7]{17}$/) },
          requestParameters: { sourceIPAddress: '127.0.0.1' },
          responseElements: { 'x-amz-request-id': $metadata.requestId, 'x-amz-id-2': expect.any(String) },
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'all',
            bucket: { name: BUCKET, ownerIdentity: { principalId: '000000000000' }, arn: `arn:aws:s3:::${BUCKET}` },
            object: {
              key: 'a/b+c%2B%C3%A9.txt',
              size: 4,
              eTag: ETag?.replaceAll('"', ''),
              sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
            },
          },
        },
      ],
    },
  });
});

test('copies, completed uploads and deletes have names of their own', async () => {
  await everything(BUCKET);
  await put('one');
  await sandbox.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'two', CopySource: `${BUCKET}/one` }));
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'three' }));
  const { ETag } = await sandbox.client.send(new UploadPartCommand({ Bucket: BUCKET, Key: 'three', UploadId, PartNumber: 1, Body: 'x' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key: 'three', UploadId, MultipartUpload }));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'one' }));
  await sandbox.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key: 'two' }, { Key: 'never was' }] } }));
  expect(seen()).toEqual([
    ['ObjectCreated:Put', 'one'],
    ['ObjectCreated:Copy', 'two'],
    ['ObjectCreated:CompleteMultipartUpload', 'three'],
    ['ObjectRemoved:Delete', 'one'],
    ['ObjectRemoved:Delete', 'two'],
  ]);
  const [removed] = records().slice(-1);
  expect([removed?.s3.object.size, removed?.s3.object.eTag]).toEqual([undefined, undefined]);
});

test('a versioned bucket names versions and delete markers', async () => {
  await everything(VERSIONED);
  const { VersionId } = await put('v', VERSIONED);
  const { VersionId: marker } = await sandbox.client.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key: 'v' }));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key: 'v', VersionId }));
  expect(records().map(({ eventName, s3 }) => [eventName, s3.object.versionId])).toEqual([
    ['ObjectCreated:Put', VersionId],
    ['ObjectRemoved:DeleteMarkerCreated', marker],
    ['ObjectRemoved:Delete', VersionId],
  ]);
});

test('filters by event, prefix and suffix, each queue for itself', async () => {
  const filter = (Name: 'prefix' | 'suffix', Value: string) => ({ Filter: { Key: { FilterRules: [{ Name, Value }] } } });
  await configure({
    QueueConfigurations: [
      { QueueArn: `${QUEUE}-in`, Events: ['s3:ObjectCreated:Put'], ...filter('prefix', 'in/') },
      { QueueArn: `${QUEUE}-txt`, Events: ['s3:ObjectRemoved:*'], ...filter('suffix', '.txt') },
    ],
  });
  sandbox.sent.length = 0;
  for (const Key of ['in/a.txt', 'out/a.txt', 'in/b.bin']) {
    await put(Key);
    await sandbox.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  }
  const told = sandbox.sent.map(({ arn, message }) => [arn.slice(QUEUE.length), message.Records?.[0]?.s3.object.key]);
  expect(told).toEqual([
    ['-in', 'in/a.txt'],
    ['-txt', 'in/a.txt'],
    ['-txt', 'out/a.txt'],
    ['-in', 'in/b.bin'],
  ]);
});

test('sequencers of a key rise with every write, also of many at once and after a restart', async () => {
  await everything(VERSIONED);
  for (let turn = 0; turn < 3; turn += 1) await Promise.all(Array.from({ length: 10 }, () => put('busy', VERSIONED)));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key: 'busy' }));
  const before = records().map(({ s3 }) => s3.object.sequencer);
  await sandbox.stop();
  const again = await openSandbox({ dir: sandbox.dir });
  await again.client.send(new PutObjectCommand({ Bucket: VERSIONED, Key: 'busy', Body: 'later' }));
  const [after = ''] = again.sent.flatMap(({ message }) => message.Records ?? []).map(({ s3 }) => s3.object.sequencer);
  await again.stop();
  rmSync(sandbox.dir, { recursive: true });
  const all = [...before, after];
  expect(all).toHaveLength(32);
  expect([...new Set(all)].sort()).toEqual(all);
  sandbox = await openSandbox();
});

test('a refused write tells nothing, and a queue that vanished fails no write', async () => {
  await everything(BUCKET);
  await put('kept');
  const before = sandbox.sent.length;
  await refusal(sandbox.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'kept', Body: 'x', IfNoneMatch: '*' })));
  expect(sandbox.sent).toHaveLength(before);
  missingQueues = [QUEUE];
  await put('unheard');
  expect(sandbox.sent).toHaveLength(before);
});

test('refuses queues that are not there or are no queues, and keeps what was configured', async () => {
  await everything(BUCKET);
  missingQueues = [`${QUEUE}-gone`];
  const event = { Events: ['s3:ObjectCreated:*' as const] };
  expect(await refusal(configure({ QueueConfigurations: [{ QueueArn: `${QUEUE}-gone`, ...event }] }))).toMatchObject({
    answer: '400 InvalidArgument',
    message: 'Unable to validate the following destination configurations',
    detail: { ArgumentName1: `${QUEUE}-gone`, ArgumentValue1: 'The destination queue does not exist' },
  });
  expect((await refusal(configure({ QueueConfigurations: [{ QueueArn: 'no-arn', ...event }] }))).message).toBe(
    'The ARN could not be parsed',
  );
  const overlapping = [
    { QueueArn: QUEUE, ...event },
    { QueueArn: QUEUE, Events: ['s3:ObjectCreated:Put' as const] },
  ];
  expect((await refusal(configure({ QueueConfigurations: overlapping }))).message).toMatch(/^Configurations overlap/);
  const kept = await sandbox.client.send(new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET }));
  expect(kept.QueueConfigurations).toMatchObject([{ Id: 'all', QueueArn: QUEUE }]);
});

test('a queue whose policy does not admit the bucket is refused when configured', async () => {
  admitted = [`arn:aws:s3:::${VERSIONED}`];
  expect(await refusal(everything(BUCKET))).toMatchObject({
    answer: '400 InvalidArgument',
    message: 'Unable to validate the following destination configurations',
    detail: {
      ArgumentName1: QUEUE,
      ArgumentValue1: 'Permissions on the destination queue do not allow S3 to publish notifications from this bucket',
    },
  });
  await everything(VERSIONED);
});

test('an event that the queue’s policy refuses by then is lost, and the write is not', async () => {
  await everything(BUCKET);
  admitted = [];
  await put('unheard');
  admitted = null;
  await put('heard');
  expect(seen()).toEqual([['ObjectCreated:Put', 'heard']]);
});

test('a role is named by its id and session', async () => {
  await everything(BUCKET);
  const client = sandbox.asRole('writer', { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' });
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'by role', Body: 'x' }));
  const { roleId } = sandbox.access.putRole('writer', { Version: '2012-10-17', Statement: TRUST }, {});
  expect(records().map(({ userIdentity }) => userIdentity)).toEqual([{ principalId: `AWS:${roleId}:session` }]);
  expect(roleId).toMatch(/^AROA[A-Z2-7]{17}$/);
});

test('lifecycle events are taken, though no lifecycle runs here', async () => {
  const Events = ['s3:LifecycleExpiration:*' as const, 's3:ObjectRemoved:*' as const];
  await configure({ QueueConfigurations: [{ QueueArn: QUEUE, Events }] });
  const kept = await sandbox.client.send(new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET }));
  expect(kept.QueueConfigurations?.[0]?.Events).toEqual(Events);
});

test('targets and events that the sandbox lacks are a 501', async () => {
  const answers = await Promise.all(
    [
      { EventBridgeConfiguration: {} },
      { TopicConfigurations: [{ TopicArn: 'arn:aws:sns:us-east-1:000000000000:t', Events: ['s3:ObjectCreated:*' as const] }] },
      { QueueConfigurations: [{ QueueArn: QUEUE, Events: ['s3:ObjectTagging:*' as const] }] },
    ].map(async (configuration) => (await refusal(configure(configuration))).answer),
  );
  expect(answers).toEqual(['501 NotImplemented', '501 NotImplemented', '501 NotImplemented']);
});
