/** How a bucket protects what is in it: encryption by default, blocked public access, ownership, versioning. */
import {
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketEncryptionCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { put } from './objects.ts';

export const BUCKET_PROTECTION: Expectation[] = [
  expectation(
    's3.bucket.default-encryption',
    'a new bucket has SSE-S3 as default',
    ['s3-guide', 'default-encryption-faq'],
    async (stage) => {
      const answer = await stage.s3.send(new GetBucketEncryptionCommand({ Bucket: await stage.newBucket() }));
      const [rule] = answer.ServerSideEncryptionConfiguration?.Rules ?? [];
      same('its algorithm', rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, 'AES256');
    },
  ),
  expectation(
    's3.bucket.default-blocked',
    'a new bucket blocks SSE-C, and says so',
    ['s3-guide', 'blocking-unblocking-s3-c-encryption-gpb'],
    async (stage) => {
      const answer = await stage.s3.send(new GetBucketEncryptionCommand({ Bucket: await stage.newBucket() }));
      const [rule] = answer.ServerSideEncryptionConfiguration?.Rules ?? [];
      same('the blocked types', rule?.BlockedEncryptionTypes?.EncryptionType, ['SSE-C']);
    },
  ),
  expectation(
    's3.bucket.encryption-kept',
    'default encryption, bucket key and blocked types are kept as they were put',
    ['s3-api', 'API_PutBucketEncryption'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const rule = {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: await stage.keyArn() },
        BucketKeyEnabled: true,
        BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] },
      };
      await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
      const answer = await stage.s3.send(new GetBucketEncryptionCommand({ Bucket }));
      has('the rule', answer.ServerSideEncryptionConfiguration?.Rules?.[0] ?? {}, rule);
    },
  ),
  expectation(
    's3.bucket.encryption-reset',
    'without its configuration a bucket is back at SSE-S3',
    ['s3-api', 'API_DeleteBucketEncryption'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: await stage.keyArn() } }];
      await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
      await stage.s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
      has('an object', (await put(stage, { Bucket })).answer, { ServerSideEncryption: 'AES256', SSEKMSKeyId: undefined });
    },
  ),
  expectation(
    's3.bucket.public-access-block',
    'a new bucket blocks public access in all four ways',
    ['s3-guide', 'access-control-block-public-access'],
    async (stage) => {
      const answer = await stage.s3.send(new GetPublicAccessBlockCommand({ Bucket: await stage.newBucket() }));
      has('the block', answer.PublicAccessBlockConfiguration ?? {}, {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      });
    },
  ),
  expectation(
    's3.bucket.public-access-block-kept',
    'a block is kept as it was put',
    ['s3-api', 'API_PutPublicAccessBlock'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: false };
      await stage.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
      const answer = await stage.s3.send(new GetPublicAccessBlockCommand({ Bucket }));
      has('the block', answer.PublicAccessBlockConfiguration ?? {}, block);
    },
  ),
  expectation('s3.bucket.ownership', 'a new bucket is BucketOwnerEnforced', ['s3-guide', 'about-object-ownership'], async (stage) => {
    const answer = await stage.s3.send(new GetBucketOwnershipControlsCommand({ Bucket: await stage.newBucket() }));
    same('its rules', answer.OwnershipControls?.Rules, [{ ObjectOwnership: 'BucketOwnerEnforced' }]);
  }),
  expectation(
    's3.bucket.acl',
    'a bucket that is BucketOwnerEnforced takes no ACL that grants',
    ['s3-guide', 'about-object-ownership'],
    async (stage) => {
      await refused(put(stage, { Bucket: await stage.newBucket(), ACL: 'public-read' }), '400 AccessControlListNotSupported');
    },
  ),
  expectation(
    's3.bucket.versioning',
    'versioning is unsaid at first, then what was put',
    ['s3-api', 'API_GetBucketVersioning'],
    async (stage) => {
      const Bucket = await stage.newBucket();
      const status = async () => (await stage.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status;
      same('at first', await status(), undefined);
      for (const Status of ['Enabled', 'Suspended'] as const) {
        await stage.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
        same('afterwards', await status(), Status);
      }
    },
  ),
];
