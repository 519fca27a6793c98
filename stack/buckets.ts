/** The buckets. Who may do what with them stands in bucket-policies.ts and target-bucket-policy.ts. */
import { usesTransit } from '../src/policy/downloads.ts';
import { namesMode } from '../src/policy/keys.ts';
import { type Part, type Resource, ref, retained, sub, type Text } from './cloudformation.ts';
import { operationsKeyArn, stackKey } from './keys-in-use.ts';
import { type BucketName, bucketName, queueArn, targetOwner } from './names.ts';
import type { Stack } from './stack.ts';

const UNFINISHED_UPLOAD_DAYS = 7;
/** Longer than a dead letter lives, so that what it names is still there. */
const INGEST_NONCURRENT_DAYS = 30;
/** The least that S3 takes; what is left then was forgotten. */
const TRANSIT_DAYS = 1;

export function buckets(stack: Stack): Part {
  const { ingestBucket, targetBucket, auditBucket } = stack.settings;
  return {
    Resources: {
      ...(ingestBucket === null ? { IngestBucket: ingest(stack) } : {}),
      ...(targetBucket === null ? { TargetBucket: target(stack) } : {}),
      ...(auditBucket === null ? { AuditBucket: audit(stack) } : {}),
      ...(usesTransit(stack.policy) ? { TransitBucket: transit(stack) } : {}),
    },
    Outputs: {
      IngestBucketName: { Value: ingestBucket ?? ref('IngestBucket'), Description: 'Where applications drop files.' },
      TargetBucketName: { Value: targetBucket ?? ref('TargetBucket'), Description: 'Where the encrypted copies live.' },
      TargetBucketOwner: { Value: sub(targetOwner(stack)), Description: 'The account that owns the target bucket.' },
      AuditBucketName: { Value: auditBucket ?? ref('AuditBucket'), Description: 'Where evidence is kept under Object Lock.' },
      ...(usesTransit(stack.policy)
        ? { TransitBucketName: { Value: ref('TransitBucket'), Description: 'Where copies for downloads lie for a quarter of an hour.' } }
        : {}),
    },
  };
}

/** What every bucket has. */
export const PRIVATE = {
  OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
};

const abortUnfinishedUploads = {
  Id: 'abort-unfinished-uploads',
  Status: 'Enabled',
  AbortIncompleteMultipartUpload: { DaysAfterInitiation: UNFINISHED_UPLOAD_DAYS },
};

/** What is left of a deleted object once its last old version is gone. */
const dropDeleteMarkers = { Id: 'drop-delete-markers', Status: 'Enabled', ExpiredObjectDeleteMarker: true };

export function lifecycle(noncurrentDays: number | null) {
  const expire = {
    Id: 'expire-old-versions',
    Status: 'Enabled',
    NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays },
  };
  return { Rules: [abortUnfinishedUploads, ...(noncurrentDays === null ? [] : [expire]), dropDeleteMarkers] };
}

function ingest(stack: Stack): Resource {
  return {
    ...bucket(stack, 'ingest'),
    // S3 asks the queue whether it may send before it takes the notification.
    DependsOn: 'IngestQueuePolicy',
    Properties: {
      ...bucket(stack, 'ingest').Properties,
      // SSE-S3, so that applications need no key rights and a disabled key never shuts the door.
      BucketEncryption: encryption({ SSEAlgorithm: 'AES256' }, 'SSE-C'),
      LifecycleConfiguration: lifecycle(INGEST_NONCURRENT_DAYS),
      NotificationConfiguration: notify(stack, 'ingest', ['s3:ObjectCreated:*']),
    },
  };
}

function target(stack: Stack): Resource {
  return {
    ...bucket(stack, 'target'),
    DependsOn: 'TargetEventsQueuePolicy',
    Properties: {
      ...bucket(stack, 'target').Properties,
      // Blocking stops new objects under SSE-C only, those that are there stay readable, so today's rules decide:
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html
      BucketEncryption: encryption(underKey(stackKey(stack)), namesMode(stack.policy, 'sse-c') ? 'NONE' : 'SSE-C'),
      LifecycleConfiguration: lifecycle(stack.settings.noncurrentDays),
      NotificationConfiguration: notify(stack, 'target-events', ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*']),
    },
  };
}

function audit(stack: Stack): Resource {
  const { auditLockMode: Mode, auditLockDays: Days } = stack.settings;
  return {
    ...bucket(stack, 'audit'),
    Properties: {
      ...bucket(stack, 'audit').Properties,
      BucketEncryption: encryption(underKey(operationsKeyArn(stack)), 'SSE-C'),
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode, Days } } },
      // Nothing expires here by itself: when evidence may go is for its keepers to say.
      LifecycleConfiguration: lifecycle(null),
    },
  };
}

/**
 * Neither versions nor retained: a copy that is deleted is to be gone, and what it is a copy of is in the target bucket. Lifecycle rules are
 * the net under the function's own deletions.
 */
function transit(stack: Stack): Resource {
  const { Type, Properties } = bucket(stack, 'transit');
  const { VersioningConfiguration: _, ...properties } = Properties;
  return {
    Type,
    Properties: {
      ...properties,
      BucketEncryption: encryption(underKey(stackKey(stack)), 'SSE-C'),
      LifecycleConfiguration: {
        Rules: [
          { ...abortUnfinishedUploads, AbortIncompleteMultipartUpload: { DaysAfterInitiation: TRANSIT_DAYS } },
          { Id: 'expire-copies', Status: 'Enabled', ExpirationInDays: TRANSIT_DAYS },
        ],
      },
    },
  };
}

function bucket(stack: Stack, which: BucketName): Resource {
  return {
    Type: 'AWS::S3::Bucket',
    ...retained,
    Properties: { BucketName: sub(bucketName(stack, which)), VersioningConfiguration: { Status: 'Enabled' }, ...PRIVATE },
  };
}

function underKey(KMSMasterKeyID: Text) {
  return { SSEAlgorithm: 'aws:kms', KMSMasterKeyID };
}

/** @param blocked what S3 refuses to write: NONE allows SSE-C, which new buckets block by default since April 2026 */
function encryption(byDefault: { SSEAlgorithm: string; KMSMasterKeyID?: Text }, blocked: 'NONE' | 'SSE-C') {
  return {
    ServerSideEncryptionConfiguration: [
      {
        BlockedEncryptionTypes: { EncryptionType: [blocked] },
        ...(byDefault.SSEAlgorithm === 'AES256' ? {} : { BucketKeyEnabled: true }),
        ServerSideEncryptionByDefault: byDefault,
      },
    ],
  };
}

function notify(stack: Stack, queue: string, events: string[]) {
  return { QueueConfigurations: events.map((Event) => ({ Event, Queue: sub(queueArn(stack, queue)) })) };
}
