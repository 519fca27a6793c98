import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  type LifecycleRule,
  ListBucketsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, VERSIONED } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

test('creates, finds, lists and deletes', async () => {
  const { Location } = await sandbox.client.send(new CreateBucketCommand({ Bucket: 'made' }));
  expect(Location).toBe('/made');
  expect((await sandbox.client.send(new HeadBucketCommand({ Bucket: 'made' }))).BucketRegion).toBe('us-east-1');
  expect((await sandbox.client.send(new GetBucketLocationCommand({ Bucket: 'made' }))).LocationConstraint).toBeUndefined();
  const { Buckets, Owner } = await sandbox.client.send(new ListBucketsCommand({}));
  expect([Buckets?.map(({ Name }) => Name), Owner?.ID]).toEqual([['drop', 'made', 'versioned'], '000000000000']);
  expect(await refusal(sandbox.client.send(new CreateBucketCommand({ Bucket: 'made' })))).toMatchObject({
    answer: '409 BucketAlreadyOwnedByYou',
  });
  await sandbox.client.send(new DeleteBucketCommand({ Bucket: 'made' }));
  expect((await refusal(sandbox.client.send(new HeadBucketCommand({ Bucket: 'made' })))).answer).toBe('404 NotFound');
  expect((await refusal(sandbox.client.send(new GetBucketLocationCommand({ Bucket: 'made' })))).answer).toBe('404 NoSuchBucket');
});

test.each(['ab', 'A-bucket', 'under_score', '-dash', 'dot..dot', '192.168.0.1', 'xn--name', 'x'.repeat(64), 'name-s3alias'])(
  'refuses the name %s',
  (name) => {
    expect(() => sandbox.s3.createBucket(name)).toThrow('The specified bucket is not valid.');
  },
);

test.each(['abc', 'a.b-c', 'x'.repeat(63)])('takes the name %s', (name) => {
  sandbox.s3.createBucket(name);
  expect(sandbox.s3.bucketExists(name)).toBe(true);
  sandbox.s3.deleteBucket(name);
});

test('a bucket with objects, or with versions only, is not deleted', async () => {
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' }));
  expect((await refusal(sandbox.client.send(new DeleteBucketCommand({ Bucket })))).message).toBe(
    'The bucket you tried to delete is not empty',
  );
  await sandbox.client.send(new PutObjectCommand({ Bucket: VERSIONED, Key: 'x', Body: 'x' }));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket: VERSIONED, Key: 'x' }));
  expect(await refusal(sandbox.client.send(new DeleteBucketCommand({ Bucket: VERSIONED })))).toMatchObject({
    answer: '409 BucketNotEmpty',
    message: 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
  });
});

describe('settings', () => {
  test('a new bucket blocks public access and has ACLs off', async () => {
    const { PublicAccessBlockConfiguration } = await sandbox.client.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect(Object.values(PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    const { OwnershipControls } = await sandbox.client.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  });

  test('public access block and ownership are kept and given back', async () => {
    const PublicAccessBlockConfiguration = {
      BlockPublicAcls: true,
      IgnorePublicAcls: false,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: false,
    };
    await sandbox.client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    const read = () => sandbox.client.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect((await read()).PublicAccessBlockConfiguration).toEqual(PublicAccessBlockConfiguration);
    await sandbox.client.send(new DeletePublicAccessBlockCommand({ Bucket }));
    expect((await refusal(read())).answer).toBe('404 NoSuchPublicAccessBlockConfiguration');
    const OwnershipControls = { Rules: [{ ObjectOwnership: 'ObjectWriter' as const }] };
    await sandbox.client.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    expect((await sandbox.client.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls).toEqual(OwnershipControls);
  });

  test('versioning has no status until it is set, and cannot be what S3 does not know', async () => {
    const read = async () => (await sandbox.client.send(new GetBucketVersioningCommand({ Bucket }))).Status;
    expect(await read()).toBeUndefined();
    const put = (Status: 'Enabled') => sandbox.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    expect((await refusal(put('enabled' as 'Enabled'))).answer).toBe('400 MalformedXML');
    await put('Enabled');
    expect(await read()).toBe('Enabled');
  });

  test('a policy is kept as it was put; what is none is refused', async () => {
    const read = () => sandbox.client.send(new GetBucketPolicyCommand({ Bucket }));
    const put = (Policy: string) => sandbox.client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await refusal(read())).answer).toBe('404 NoSuchBucketPolicy');
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: `arn:aws:s3:::${Bucket}` };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await put(policy);
    expect((await read()).Policy).toBe(policy);
    for (const malformed of ['no json', '{}', '[]']) expect((await refusal(put(malformed))).answer).toBe('400 MalformedPolicy');
    await sandbox.client.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect((await refusal(read())).answer).toBe('404 NoSuchBucketPolicy');
  });

  test('lifecycle rules come back as they were put', async () => {
    const Rules: LifecycleRule[] = [
      {
        ID: 'old',
        Status: 'Enabled',
        Filter: { Prefix: 'logs/' },
        Expiration: { Days: 30 },
        Transitions: [{ Days: 7, StorageClass: 'STANDARD_IA' }],
      },
      {
        ID: 'versions',
        Status: 'Disabled',
        Filter: {
          And: {
            Prefix: '',
            Tags: [
              { Key: 'a', Value: 'b' },
              { Key: 'c', Value: 'd' },
            ],
          },
        },
        NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      },
    ];
    await sandbox.client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    const read = () => sandbox.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect((await read()).Rules).toEqual(Rules);
    await sandbox.client.send(new DeleteBucketLifecycleCommand({ Bucket }));
    expect((await refusal(read())).answer).toBe('404 NoSuchLifecycleConfiguration');
  });

  test('tags are kept, up to fifty', async () => {
    const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: 'v <&>'.slice(0, 1) }));
    const put = (count: number) => sandbox.client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tags(count) } }));
    const read = () => sandbox.client.send(new GetBucketTaggingCommand({ Bucket }));
    expect((await refusal(read())).answer).toBe('404 NoSuchTagSet');
    await put(50);
    expect((await read()).TagSet).toEqual(tags(50));
    expect((await refusal(put(51))).answer).toBe('400 BadRequest');
    await sandbox.client.send(new DeleteBucketTaggingCommand({ Bucket }));
    expect((await refusal(read())).answer).toBe('404 NoSuchTagSet');
  });

  test('Object Lock needs versioning and keeps it', async () => {
    const lock = (name: string) =>
      sandbox.client.send(
        new PutObjectLockConfigurationCommand({
          Bucket: name,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Years: 1 } } },
        }),
      );
    sandbox.s3.createBucket('unversioned');
    expect((await refusal(lock('unversioned'))).answer).toBe('409 InvalidBucketState');
    await sandbox.client.send(new CreateBucketCommand({ Bucket: 'worm', ObjectLockEnabledForBucket: true }));
    await lock('worm');
    const { ObjectLockConfiguration } = await sandbox.client.send(new GetObjectLockConfigurationCommand({ Bucket: 'worm' }));
    expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'GOVERNANCE', Years: 1 });
    const suspend = new PutBucketVersioningCommand({ Bucket: 'worm', VersioningConfiguration: { Status: 'Suspended' } });
    expect((await refusal(sandbox.client.send(suspend))).answer).toBe('409 InvalidBucketState');
  });
});
