/** Who may do what with the buckets, beyond what roles say. */
import { usesTransit } from '../src/policy/downloads.ts';
import { type Part, policyDocument, type Resource, ref, retained, type Statement, sub, type Text, tlsOnly } from './cloudformation.ts';
import { type BucketName, bucketArn, trailArn } from './names.ts';
import { readByFunctionsAlone } from './object-reads.ts';
import type { Rights } from './rights.ts';
import type { Stack } from './stack.ts';
import { targetBucketStatements } from './target-bucket-policy.ts';
import { transitBucketStatements } from './transit-bucket-policy.ts';

const LOGICAL_IDS = { ingest: 'IngestBucket', target: 'TargetBucket', audit: 'AuditBucket', transit: 'TransitBucket' } as const;

/** A brought bucket keeps the policy that it has; `sealdrop doctor` says what it lacks. */
export function bucketPolicies(stack: Stack, rights: Rights): Part {
  const { ingestBucket, targetBucket, auditBucket, dataEvents } = stack.settings;
  const policies = {
    ...(ingestBucket === null ? { IngestBucketPolicy: bucketPolicy(stack, 'ingest', readByFunctionsAlone(stack, rights, 'ingest')) } : {}),
    ...(targetBucket === null ? { TargetBucketPolicy: bucketPolicy(stack, 'target', targetBucketStatements(stack, rights)) } : {}),
    ...(auditBucket === null
      ? { AuditBucketPolicy: bucketPolicy(stack, 'audit', [keepEvidence(stack), ...(dataEvents ? trailWrites(stack) : [])]) }
      : {}),
    ...(usesTransit(stack.policy) ? { TransitBucketPolicy: bucketPolicy(stack, 'transit', transitBucketStatements(stack, rights)) } : {}),
  };
  return { Resources: policies };
}

/** TLS 1.2 or newer: https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html */
export function modernTls(bucket: Text, objects: Text): Statement[] {
  const old: Statement = {
    ...tlsOnly(['s3:*'], [bucket, objects]),
    Sid: 'OnlyByTls12',
    Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
  };
  return [tlsOnly(['s3:*'], [bucket, objects]), old];
}

function bucketPolicy(stack: Stack, which: BucketName, statements: Statement[]): Resource {
  const arn = bucketArn(stack, which);
  return {
    Type: 'AWS::S3::BucketPolicy',
    ...retained,
    Properties: {
      Bucket: ref(LOGICAL_IDS[which]),
      PolicyDocument: policyDocument([...modernTls(sub(arn), sub(`${arn}/*`)), ...statements]),
    },
  };
}

/**
 * Object Lock keeps versions from being deleted; this keeps everybody from lifting GOVERNANCE, break-glass as well: whoever must delete
 * evidence changes this policy first, which is told.
 */
function keepEvidence(stack: Stack): Statement {
  return {
    Sid: 'KeepEvidence',
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:BypassGovernanceRetention', 's3:DeleteObjectVersion', 's3:PutObjectLegalHold', 's3:PutObjectRetention'],
    Resource: sub(`${bucketArn(stack, 'audit')}/*`),
  };
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html */
function trailWrites(stack: Stack): Statement[] {
  const ownTrail = { StringEquals: { 'aws:SourceArn': sub(trailArn(stack)) } };
  const trail = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Condition: ownTrail } as const;
  const arn = bucketArn(stack, 'audit');
  return [
    { Sid: 'TrailChecks', ...trail, Action: ['s3:GetBucketAcl'], Resource: sub(arn) },
    { Sid: 'TrailWrites', ...trail, Action: ['s3:PutObject'], Resource: sub(`${arn}/AWSLogs/\${AWS::AccountId}/*`) },
  ];
}
