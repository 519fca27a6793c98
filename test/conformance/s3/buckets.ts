/** Buckets, and what is kept about them. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { has, holds, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { put } from './objects.ts';

const LOCK = { ObjectLockEnabled: 'Enabled' as const, Rule: { DefaultRetention: { Mode: 'GOVERNANCE' as const, Days: 1 } } };

export const BUCKETS: Expectation[] = [
  expectation(
    's3.bucket.missing',
    'a bucket that is not there is refused with NoSuchBucket, by HEAD with 404',
    ['s3-api', 'ErrorResponses'],
    async (stage) => {
      const Bucket = stage.unique('missing');
      await refused(put(stage, { Bucket }), '404 NoSuchBucket');
      await refused(stage.s3.send(new HeadBucketCommand({ Bucket })), '404');
    },
  ),
  expectation('s3.bucket.listed', 'a new bucket is listed', ['s3-api', 'API_ListBuckets'], async (stage) => {
    const Bucket = await stage.newBucket();
    const { Buckets = [] } = await stage.s3.send(new ListBucketsCommand({}));
    holds(
      'the bucket is listed',
      Buckets.some(({ Name }) => Name === Bucket),
    );
  }),
  expectation(
    's3.bucket.name',
    'a name with upper case is refused with InvalidBucketName',
    ['s3-guide', 'bucketnamingrules'],
    async (stage) => {
      await refused(stage.s3.send(new CreateBucketCommand({ Bucket: `Upper-${stage.unique()}` })), '400 InvalidBucketName');
    },
  ),
  expectation(
    's3.bucket.not-empty',
    'a bucket that holds objects is not deleted: BucketNotEmpty',
    ['s3-api', 'API_DeleteBucket'],
    async (stage) => {
      const { at } = await put(stage, { Bucket: await stage.newBucket() });
      await refused(stage.s3.send(new DeleteBucketCommand({ Bucket: at.Bucket })), '409 BucketNotEmpty');
    },
  ),
  expectation('s3.bucket.location', 'a bucket of us-east-1 names no location', ['s3-api', 'API_GetBucketLocation'], async (stage) => {
    const { LocationConstraint } = await stage.s3.send(new GetBucketLocationCommand({ Bucket: await stage.newBucket() }));
    const region = await stage.s3.config.region();
    same('the location', LocationConstraint, region === 'us-east-1' ? undefined : region);
  }),
  expectation(
    's3.bucket.expected-owner',
    'another account as expected owner is refused with AccessDenied',
    ['s3-guide', 'bucket-owner-condition'],
    async (stage) => {
      const { at } = await put(stage);
      await put(stage, { ...at, ExpectedBucketOwner: await stage.account() });
      await refused(put(stage, { ...at, ExpectedBucketOwner: '111122223333' }), '403 AccessDenied');
    },
  ),
  expectation(
    's3.bucket.policy',
    'a policy is kept, and its absence is NoSuchBucketPolicy',
    ['s3-api', 'API_GetBucketPolicy'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const account = await stage.account();
      await refused(stage.s3.send(new GetBucketPolicyCommand({ Bucket })), '404 NoSuchBucketPolicy');
      const statement = {
        Sid: 'Account',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${Bucket}/*`,
      };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await stage.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      const kept: unknown = JSON.parse((await stage.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? 'null');
      holds('its statement is kept', JSON.stringify(kept).includes('"Sid":"Account"'));
      await stage.s3.send(new DeleteBucketPolicyCommand({ Bucket }));
      await refused(stage.s3.send(new GetBucketPolicyCommand({ Bucket })), '404 NoSuchBucketPolicy');
    },
  ),
  expectation(
    's3.bucket.policy-malformed',
    'what is no policy is refused with MalformedPolicy',
    ['s3-api', 'ErrorResponses'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      await refused(stage.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: '{"Version":' })), '400 MalformedPolicy');
    },
  ),
  expectation('s3.bucket.tags', 'tags are kept, and their absence is NoSuchTagSet', ['s3-api', 'API_GetBucketTagging'], async (stage) => {
    const Bucket = await stage.newBucket();
    await refused(stage.s3.send(new GetBucketTaggingCommand({ Bucket })), '404 NoSuchTagSet');
    const TagSet = [{ Key: 'team', Value: 'a b' }];
    await stage.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    same('the tags', (await stage.s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
    await stage.s3.send(new DeleteBucketTaggingCommand({ Bucket }));
    await refused(stage.s3.send(new GetBucketTaggingCommand({ Bucket })), '404 NoSuchTagSet');
  }),
  expectation(
    's3.bucket.lifecycle',
    'lifecycle rules are kept, and their absence is NoSuchLifecycleConfiguration',
    ['s3-api', 'API_GetBucketLifecycleConfiguration'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      await refused(stage.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })), '404 NoSuchLifecycleConfiguration');
      const rule = {
        ID: 'abort',
        Status: 'Enabled' as const,
        Filter: { Prefix: '' },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      };
      await stage.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [rule] } }));
      const { Rules } = await stage.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      has('the rule', Rules?.[0] ?? {}, { ID: 'abort', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } });
    },
  ),
  expectation(
    's3.bucket.object-lock',
    'Object Lock is kept on a bucket made for it',
    ['s3-api', 'API_PutObjectLockConfiguration'],
    async (stage) => {
      const plain = await stage.newBucket();
      await refused(stage.s3.send(new GetObjectLockConfigurationCommand({ Bucket: plain })), '404 ObjectLockConfigurationNotFoundError');
      await refused(
        stage.s3.send(new PutObjectLockConfigurationCommand({ Bucket: plain, ObjectLockConfiguration: LOCK })),
        '409 InvalidBucketState',
      );
      const Bucket = stage.unique('locked');
      await stage.s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      stage.atEnd(() => stage.s3.send(new DeleteBucketCommand({ Bucket })));
      await stage.s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: LOCK }));
      const { ObjectLockConfiguration } = await stage.s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
      same('its default', ObjectLockConfiguration?.Rule?.DefaultRetention, LOCK.Rule.DefaultRetention);
      same('its versioning', (await stage.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, 'Enabled');
    },
  ),
];
