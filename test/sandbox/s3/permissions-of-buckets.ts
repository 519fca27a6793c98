/** Every operation on buckets with the permissions that AWS's page lists for it, and a call that needs them all. */
import * as s3 from '@aws-sdk/client-s3';
import { BUCKET_ARN, type Permission, type Row } from './permissions-row.ts';
import { VERSIONED as Bucket } from './sandbox.ts';

const onBucket = (...actions: string[]): Permission[] => actions.map((action) => [action, BUCKET_ARN]);
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Principal: '*', Action: 's3:DeleteBucket', Resource: BUCKET_ARN },
});
const TagSet = [{ Key: 'a', Value: 'b' }];
const NO_BLOCK = { BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] } };
const OWNER_ENFORCED = { ObjectOwnership: 'BucketOwnerEnforced' as const };
const EXPIRY = { Status: 'Enabled' as const, Filter: { Prefix: 'old/' }, Expiration: { Days: 1 } };

export const BUCKET_ROWS: Row[] = [
  ['ListBuckets', [['s3:ListAllMyBuckets', '*']], (client) => client.send(new s3.ListBucketsCommand({}))],
  ['CreateBucket', [['s3:CreateBucket', 'arn:aws:s3:::made']], (client) => client.send(new s3.CreateBucketCommand({ Bucket: 'made' }))],
  [
    'CreateBucket with Object Lock',
    ['s3:CreateBucket', 's3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning'].map((action) => [action, 'arn:aws:s3:::locked']),
    (client) => client.send(new s3.CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true })),
  ],
  ['DeleteBucket', [['s3:DeleteBucket', 'arn:aws:s3:::made']], (client) => client.send(new s3.DeleteBucketCommand({ Bucket: 'made' }))],
  ['HeadBucket', onBucket('s3:ListBucket'), (client) => client.send(new s3.HeadBucketCommand({ Bucket }))],
  ['GetBucketLocation', onBucket('s3:GetBucketLocation'), (client) => client.send(new s3.GetBucketLocationCommand({ Bucket }))],
  ['GetBucketVersioning', onBucket('s3:GetBucketVersioning'), (client) => client.send(new s3.GetBucketVersioningCommand({ Bucket }))],
  [
    'PutBucketVersioning',
    onBucket('s3:PutBucketVersioning'),
    (client) => client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
  ],
  [
    'GetBucketEncryption',
    onBucket('s3:GetEncryptionConfiguration'),
    (client) => client.send(new s3.GetBucketEncryptionCommand({ Bucket })),
  ],
  [
    'DeleteBucketEncryption',
    onBucket('s3:PutEncryptionConfiguration'),
    (client) => client.send(new s3.DeleteBucketEncryptionCommand({ Bucket })),
  ],
  [
    'PutBucketNotificationConfiguration',
    onBucket('s3:PutBucketNotification'),
    (client) => client.send(new s3.PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })),
  ],
  [
    'GetBucketNotificationConfiguration',
    onBucket('s3:GetBucketNotification'),
    (client) => client.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket })),
  ],
  [
    'GetPublicAccessBlock',
    onBucket('s3:GetBucketPublicAccessBlock'),
    (client) => client.send(new s3.GetPublicAccessBlockCommand({ Bucket })),
  ],
  ['PutBucketPolicy', onBucket('s3:PutBucketPolicy'), (client) => client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy }))],
  ['GetBucketPolicy', onBucket('s3:GetBucketPolicy'), (client) => client.send(new s3.GetBucketPolicyCommand({ Bucket }))],
  ['DeleteBucketPolicy', onBucket('s3:DeleteBucketPolicy'), (client) => client.send(new s3.DeleteBucketPolicyCommand({ Bucket }))],
  [
    'PutBucketTagging',
    onBucket('s3:PutBucketTagging'),
    (client) => client.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } })),
  ],
  ['GetBucketTagging', onBucket('s3:GetBucketTagging'), (client) => client.send(new s3.GetBucketTaggingCommand({ Bucket }))],
  ['ListObjects', onBucket('s3:ListBucket'), (client) => client.send(new s3.ListObjectsCommand({ Bucket }))],
  ['ListObjectsV2', onBucket('s3:ListBucket'), (client) => client.send(new s3.ListObjectsV2Command({ Bucket }))],
  ['ListObjectVersions', onBucket('s3:ListBucketVersions'), (client) => client.send(new s3.ListObjectVersionsCommand({ Bucket }))],
  [
    'ListMultipartUploads',
    onBucket('s3:ListBucketMultipartUploads'),
    (client) => client.send(new s3.ListMultipartUploadsCommand({ Bucket })),
  ],
  [
    'PutBucketEncryption',
    onBucket('s3:PutEncryptionConfiguration'),
    (client) => client.send(new s3.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [NO_BLOCK] } })),
  ],
  [
    'PutPublicAccessBlock',
    onBucket('s3:PutBucketPublicAccessBlock'),
    (client) => client.send(new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } })),
  ],
  [
    'DeletePublicAccessBlock',
    onBucket('s3:PutBucketPublicAccessBlock'),
    (client) => client.send(new s3.DeletePublicAccessBlockCommand({ Bucket })),
  ],
  [
    'PutBucketOwnershipControls',
    onBucket('s3:PutBucketOwnershipControls'),
    (client) => client.send(new s3.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [OWNER_ENFORCED] } })),
  ],
  [
    'GetBucketOwnershipControls',
    onBucket('s3:GetBucketOwnershipControls'),
    (client) => client.send(new s3.GetBucketOwnershipControlsCommand({ Bucket })),
  ],
  [
    'PutBucketLifecycleConfiguration',
    onBucket('s3:PutLifecycleConfiguration'),
    (client) => client.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [EXPIRY] } })),
  ],
  [
    'GetBucketLifecycleConfiguration',
    onBucket('s3:GetLifecycleConfiguration'),
    (client) => client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket })),
  ],
  [
    'DeleteBucketLifecycle',
    onBucket('s3:PutLifecycleConfiguration'),
    (client) => client.send(new s3.DeleteBucketLifecycleCommand({ Bucket })),
  ],
  ['DeleteBucketTagging', onBucket('s3:PutBucketTagging'), (client) => client.send(new s3.DeleteBucketTaggingCommand({ Bucket }))],
  [
    'PutObjectLockConfiguration',
    onBucket('s3:PutBucketObjectLockConfiguration'),
    (client) =>
      client.send(new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } })),
  ],
  [
    'GetObjectLockConfiguration',
    onBucket('s3:GetBucketObjectLockConfiguration'),
    (client) => client.send(new s3.GetObjectLockConfigurationCommand({ Bucket })),
  ],
];
