import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStackBench, type StackBench } from './workbench.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
const key = (Properties: object = {}) => ({
  Type: 'AWS::KMS::Key',
  DeletionPolicy: 'Retain',
  Properties: {
    KeyPolicy: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
    ...Properties,
  },
});

test("a bucket's lifecycle is what S3 would be told", async () => {
  await bench.deploy({
    Data: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'data',
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'old-versions',
              Status: 'Enabled',
              ExpiredObjectDeleteMarker: 'true',
              NoncurrentVersionExpiration: { NoncurrentDays: '90' },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
            { Status: 'Enabled', Prefix: 'tmp/', ExpirationInDays: 1 },
          ],
        },
      },
    },
  });
  expect(bench.services.s3.settings('data').lifecycle).toEqual({
    Rules: [
      {
        ID: 'old-versions',
        Status: 'Enabled',
        Filter: { Prefix: '' },
        Expiration: { ExpiredObjectDeleteMarker: true },
        NoncurrentVersionExpiration: { NoncurrentDays: 90 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      },
      { Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 1 } },
    ],
  });
});

test('a bucket sends each event to its own queue', async () => {
  const sends = (Event: string, queueId: string) => ({ Event, Queue: { 'Fn::GetAtt': [queueId, 'Arn'] } });
  await bench.deploy({
    Made: queue('made'),
    Gone: queue('gone'),
    Data: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'data',
        NotificationConfiguration: { QueueConfigurations: [sends('s3:ObjectCreated:*', 'Made'), sends('s3:ObjectRemoved:*', 'Gone')] },
      },
    },
  });
  expect(bench.services.s3.settings('data').notification?.QueueConfigurations).toEqual([
    { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:made', Events: ['s3:ObjectCreated:*'] },
    { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:gone', Events: ['s3:ObjectRemoved:*'] },
  ]);
});

test('a key rotates as the template says, and as it says later', async () => {
  const Outputs = { Id: { Value: { Ref: 'Key' } } };
  const { outputs } = await bench.deploy({ Key: key({ EnableKeyRotation: true, RotationPeriodInDays: 90 }) }, { Outputs });
  const rotation = () => bench.services.kms.call('GetKeyRotationStatus', { KeyId: outputs.Id });
  expect(await rotation()).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
  await bench.deploy({ Key: key({ EnableKeyRotation: true, RotationPeriodInDays: 180 }) }, { Outputs });
  expect(await rotation()).toMatchObject({ RotationPeriodInDays: 180 });
  await bench.deploy({ Key: key({ EnableKeyRotation: false }) }, { Outputs });
  expect(await rotation()).toMatchObject({ KeyRotationEnabled: false });
});

test.each([
  [key({ RotationPeriodInDays: 89 }), 'RotationPeriodInDays'],
  [key({ RotationPeriodInDays: 2561 }), 'RotationPeriodInDays'],
  [key({ PendingWindowInDays: 6 }), 'PendingWindowInDays'],
  [key({ PendingWindowInDays: 31 }), 'PendingWindowInDays'],
  [key({ MultiRegion: true }), 'MultiRegion'],
  [key({ Origin: 'EXTERNAL' }), 'Origin'],
])('KMS would refuse, or the sandbox cannot make: %j', async (resource, name) => {
  await expect(bench.deploy({ Key: resource })).rejects.toThrow(name);
});

test.each([90, 2560])('a key may rotate every %i days', async (RotationPeriodInDays) => {
  await bench.deploy({ Key: key({ EnableKeyRotation: true, RotationPeriodInDays, PendingWindowInDays: 7, MultiRegion: 'false' }) });
});
