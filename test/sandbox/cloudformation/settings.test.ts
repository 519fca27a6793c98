import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleFunction } from '../lambda/workbench.ts';
import { openStackBench, type StackBench } from './workbench.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
/** The policy of a queue that the bucket `data` may send to. */
const openToS3 = (queueId: string) => ({
  Type: 'AWS::SQS::QueuePolicy',
  Properties: {
    Queues: [{ Ref: queueId }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 's3.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: { 'Fn::GetAtt': [queueId, 'Arn'] },
          Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::data' } },
        },
      ],
    },
  },
});

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

describe('a bucket that tells queues', () => {
  const sends = (Event: string, queueId: string) => ({ Event, Queue: { 'Fn::GetAtt': [queueId, 'Arn'] } });
  const bucket = (...QueueConfigurations: object[]) => ({
    Type: 'AWS::S3::Bucket',
    DependsOn: ['MadeOpen', 'GoneOpen'],
    Properties: { BucketName: 'data', NotificationConfiguration: { QueueConfigurations } },
  });
  const Made = queue('made');
  const Gone = queue('gone');

  test('tells each its own event', async () => {
    const Data = bucket(
      sends('s3:ObjectCreated:*', 'Made'),
      sends('s3:ObjectRemoved:*', 'Gone'),
      sends('s3:LifecycleExpiration:*', 'Gone'),
    );
    await bench.deploy({ Made, Gone, MadeOpen: openToS3('Made'), GoneOpen: openToS3('Gone'), Data });
    expect(bench.services.s3.settings('data').notification?.QueueConfigurations).toEqual([
      { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:made', Events: ['s3:ObjectCreated:*'] },
      { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:gone', Events: ['s3:ObjectRemoved:*'] },
      { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:gone', Events: ['s3:LifecycleExpiration:*'] },
    ]);
  });

  test('cannot be made when a queue does not let S3 send, and the error names the queue', async () => {
    const Data = bucket(sends('s3:ObjectCreated:*', 'Gone'));
    const resources = { Made, Gone, MadeOpen: openToS3('Made'), GoneOpen: openToS3('Made'), Data };
    await expect(bench.deploy(resources)).rejects.toThrow(
      /Data \(AWS::S3::Bucket\) .*destination configurations.*sqs:us-east-1:000000000000:gone/,
    );
  });
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

describe("a secret's policy", () => {
  const Secret = { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'customer-key' } };
  const policy = (Action: string, key = 'aws:PrincipalArn') => ({
    Type: 'AWS::SecretsManager::ResourcePolicy',
    Properties: {
      SecretId: { Ref: 'Secret' },
      BlockPublicPolicy: true,
      ResourcePolicy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Deny',
            Principal: '*',
            Action,
            Resource: '*',
            Condition: { ArnNotEquals: { [key]: 'arn:aws:iam::000000000000:role/reader' } },
          },
        ],
      },
    },
  });
  const kept = async () =>
    String((await bench.services.secretsManager.call('GetResourcePolicy', { SecretId: 'customer-key' })).ResourcePolicy);

  test('is put, changed and taken away with the template', async () => {
    await bench.deploy({ Secret, Policy: policy('secretsmanager:GetSecretValue') });
    expect(await kept()).toContain('secretsmanager:GetSecretValue');
    await bench.deploy({ Secret, Policy: policy('secretsmanager:DescribeSecret') });
    expect(await kept()).toContain('secretsmanager:DescribeSecret');
    await bench.deploy({ Secret });
    expect(await kept()).toBe('undefined');
  });

  test('with a key that the judge does not know is an error by name', async () => {
    await expect(bench.deploy({ Secret, Policy: policy('secretsmanager:GetSecretValue', 'aws:PrincipalArm') })).rejects.toThrow(
      'aws:PrincipalArm',
    );
  });
});

test.each([
  ['Allow', null],
  ['Terminate', null],
  ['Perhaps', /RecursiveLoop/],
])('a function that says %s to loops', async (RecursiveLoop, refused) => {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  await bundleFunction(bench.dir, 'fn', 'export const handler = async () => 1;');
  const Code = { S3Bucket: 'b', S3Key: 'fn.zip' };
  const deployed = bench.deploy({
    Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'r', AssumeRolePolicyDocument: trust } },
    Fn: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'fn',
        Code,
        Handler: 'fn.handler',
        Runtime: 'nodejs24.x',
        Role: { 'Fn::GetAtt': 'Role.Arn' },
        RecursiveLoop,
      },
    },
  });
  if (refused) await expect(deployed).rejects.toThrow(refused);
  else await deployed;
});
