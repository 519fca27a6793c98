/**
 * The actions that a bucket's policy may name, also those of operations that this sandbox lacks, and which of them take which
 * condition keys.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
import { actionsOn } from './permissions.ts';

/** Not the ones on buckets that are not there yet. */
export const BUCKET_ACTIONS: ReadonlySet<string> = new Set([
  ...actionsOn('bucket').filter((action) => action !== 's3:CreateBucket'),
  ...['s3:DeleteBucketWebsite', 's3:GetAccelerateConfiguration', 's3:GetAnalyticsConfiguration', 's3:GetBucketAcl', 's3:GetBucketCORS'],
  ...['s3:GetBucketLogging', 's3:GetBucketPolicyStatus', 's3:GetBucketRequestPayment', 's3:GetBucketWebsite'],
  ...[
    's3:GetIntelligentTieringConfiguration',
    's3:GetInventoryConfiguration',
    's3:GetMetricsConfiguration',
    's3:GetReplicationConfiguration',
  ],
  ...['s3:PutAccelerateConfiguration', 's3:PutAnalyticsConfiguration', 's3:PutBucketAcl', 's3:PutBucketCORS', 's3:PutBucketLogging'],
  ...['s3:PutBucketRequestPayment', 's3:PutBucketWebsite', 's3:PutIntelligentTieringConfiguration', 's3:PutInventoryConfiguration'],
  ...['s3:PutMetricsConfiguration', 's3:PutReplicationConfiguration'],
]);

export const OBJECT_ACTIONS: ReadonlySet<string> = new Set([
  ...actionsOn('object'),
  ...['s3:BypassGovernanceRetention', 's3:GetObjectAcl', 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectTorrent'],
  ...['s3:GetObjectVersionAcl', 's3:GetObjectVersionForReplication', 's3:GetObjectVersionTorrent', 's3:InitiateReplication'],
  ...['s3:ObjectOwnerOverrideToBucketOwner', 's3:PutObjectLegalHold', 's3:PutObjectRetention', 's3:PutObjectVersionAcl'],
  ...['s3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags', 's3:RestoreObject', 's3:UpdateObjectEncryption'],
  ...['s3:GetObjectVersionTagging', 's3:PutObjectVersionTagging', 's3:DeleteObjectVersionTagging'],
]);

const LISTINGS = ['s3:ListBucket', 's3:ListBucketVersions'];
const WRITES = ['s3:PutObject', 's3:ReplicateObject'];

/** Keys that are not here go with every action. */
export const ACTIONS_OF_KEYS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    's3:delimiter': LISTINGS,
    's3:max-keys': LISTINGS,
    's3:prefix': LISTINGS,
    's3:if-match': ['s3:PutObject', 's3:DeleteObject'],
    's3:if-none-match': ['s3:PutObject'],
    's3:ObjectCreationOperation': ['s3:PutObject'],
    's3:x-amz-acl': ['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectVersionAcl', 's3:PutBucketAcl'],
    's3:x-amz-copy-source': ['s3:PutObject'],
    's3:x-amz-metadata-directive': ['s3:PutObject'],
    's3:x-amz-server-side-encryption': WRITES,
    's3:x-amz-server-side-encryption-aws-kms-key-id': WRITES,
    's3:x-amz-server-side-encryption-customer-algorithm': WRITES,
    's3:x-amz-storage-class': [...WRITES, 's3:PutObjectAcl', 's3:PutObjectVersionAcl'],
  }).map(([key, actions]) => [key, new Set(actions)]),
);
