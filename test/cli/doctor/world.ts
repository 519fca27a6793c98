/** A stack in which all is well, of mocked clients; a test breaks one thing of it. */
import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { SimulatePrincipalPolicyCommand, type SimulatePrincipalPolicyCommandInput } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, GetKeyPolicyCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
} from '@aws-sdk/client-s3';
import { DescribeSecretCommand, GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { createClients } from '../../../cli/clients.ts';
import { expectations } from '../../../cli/doctor/checks/rights.ts';
import type { DoctorContext } from '../../../cli/doctor/context.ts';
import { targetStatements, tlsStatements } from '../../../cli/doctor/expected-policies.ts';
import { roleArn } from '../../../cli/doctor/names.ts';
import type { Stack } from '../../../cli/stack.ts';
import { policyFingerprint } from '../../../src/policy/fingerprint.ts';
import { policySchema } from '../../../src/policy/schema.ts';

const ACCOUNT = '111111111111';
const REGION = 'eu-central-1';
const named = (what: string, stage = 'prod') => `sealdrop-${stage}-${what}-${ACCOUNT}-${REGION}`;
const queueUrl = (what: string) => `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${named(what)}`;

export const NAMED_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;

export const POLICY = policySchema.parse({
  version: 1,
  rules: [
    { match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } },
    { match: { prefix: 'keyed/' }, encryption: { mode: 'sse-kms', key: NAMED_KEY } },
  ],
  default: { encryption: { mode: 'sse-kms', bucketKey: true } },
});

export const STACK: Stack = {
  name: 'sealdrop-prod',
  stage: 'prod',
  status: 'UPDATE_COMPLETE',
  region: REGION,
  account: ACCOUNT,
  partition: 'aws',
  apiUrl: null,
  ingestBucket: named('ingest'),
  targetBucket: named('target'),
  targetBucketOwner: ACCOUNT,
  auditBucket: named('audit'),
  auditTable: named('audit'),
  ingestQueueUrl: queueUrl('ingest'),
  deadLetterQueueUrl: queueUrl('ingest-dead-letters'),
  targetEventsQueueUrl: queueUrl('target-events'),
  targetEventsDeadLetterQueueUrl: queueUrl('target-events-dead-letters'),
  keyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-0000-0000-0000-000000000000`,
  wrappingKeySecret: null,
  customerKeySecret: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${named('customer-key')}-AbCdEf`,
  policyFingerprint: policyFingerprint(POLICY),
  source: 'keep',
};

export const OTHER_QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:${named('ingest', 'test')}`;
export const queueArn = (what: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${named(what)}`;
export const allBlocked = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

/** An error as the SDK throws it. */
export function refusal(name: string, status = 400, message = name): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

export const policyText = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
/** As the template has it. */
export const TLS = tlsStatements(STACK, STACK.ingestBucket);
export const TARGET = targetStatements(STACK, POLICY, []);
export const KEEP_EVIDENCE = {
  Sid: 'KeepEvidence',
  Effect: 'Deny',
  Principal: '*',
  Action: ['s3:BypassGovernanceRetention', 's3:DeleteObjectVersion'],
  Resource: '*',
};

export function keyPolicy(principalArn: string[] = [roleArn(STACK, 'encrypt'), roleArn(STACK, 'download')]): string {
  return policyText({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
    Resource: '*',
    Condition: { ArnEquals: { 'aws:PrincipalArn': principalArn } },
  });
}

/** @param breakGlass who may read and change it past the functions */
export function secretPolicy(breakGlass: string[]): string {
  const denied = { Effect: 'Deny', Principal: '*', Resource: '*' };
  const butFor = (principals: string[]) =>
    principals.length === 0 ? {} : { Condition: { ArnNotEquals: { 'aws:PrincipalArn': principals } } };
  return policyText(
    { ...denied, Action: 'secretsmanager:GetSecretValue', ...butFor([roleArn(STACK, 'encrypt'), ...breakGlass]) },
    { ...denied, Action: ['secretsmanager:PutSecretValue', 'secretsmanager:RotateSecret'], ...butFor(breakGlass) },
  );
}

export function queuePolicy(sourceArn: string | string[]): string {
  return policyText({
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: '*',
    Condition: { ArnEquals: { 'aws:SourceArn': sourceArn } },
  });
}

export type World = ReturnType<typeof healthyWorld>;

export function healthyWorld(change: { stack?: Partial<Stack>; policy?: DoctorContext['policy'] } = {}) {
  const clients = createClients(REGION);
  const stack = { ...STACK, ...change.stack };
  const policy = change.policy ?? POLICY;
  const s3 = mockClient(clients.s3);
  const kms = mockClient(clients.kms);
  const secrets = mockClient(clients.secrets);
  const sqs = mockClient(clients.sqs);
  const dynamodb = mockClient(clients.dynamodb);
  const iam = mockClient(clients.iam);

  s3.on(HeadBucketCommand).resolves({ BucketRegion: REGION });
  s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
  s3.on(GetPublicAccessBlockCommand).resolves({ PublicAccessBlockConfiguration: allBlocked });
  s3.on(GetBucketOwnershipControlsCommand).resolves({ OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } });
  s3.on(GetBucketLifecycleConfigurationCommand).resolves({
    Rules: [{ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }],
  });
  s3.on(GetObjectLockConfigurationCommand).resolves({
    ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 365 } } },
  });
  const underStackKey = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: stack.keyArn },
    BucketKeyEnabled: true,
  };
  s3.on(GetBucketEncryptionCommand).resolves({ ServerSideEncryptionConfiguration: { Rules: [underStackKey] } });
  s3.on(GetBucketEncryptionCommand, { Bucket: stack.ingestBucket }).resolves({
    ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
  });
  s3.on(GetBucketPolicyCommand).resolves({ Policy: policyText(...TLS) });
  s3.on(GetBucketPolicyCommand, { Bucket: stack.auditBucket }).resolves({ Policy: policyText(...TLS, KEEP_EVIDENCE) });
  s3.on(GetBucketPolicyCommand, { Bucket: stack.targetBucket }).resolves({ Policy: policyText(...targetStatements(stack, policy, [])) });
  s3.on(GetBucketNotificationConfigurationCommand, { Bucket: stack.ingestBucket }).resolves({
    QueueConfigurations: [{ QueueArn: queueArn('ingest'), Events: ['s3:ObjectCreated:*'] }],
  });
  s3.on(GetBucketNotificationConfigurationCommand, { Bucket: stack.targetBucket }).resolves({
    QueueConfigurations: [
      { QueueArn: queueArn('target-events'), Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:LifecycleExpiration:*'] },
    ],
  });

  kms.on(DescribeKeyCommand).callsFake(({ KeyId }: { KeyId: string }) => ({
    KeyMetadata: { KeyId, Arn: KeyId, KeyState: 'Enabled', KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  }));
  kms.on(GetKeyRotationStatusCommand).resolves({ KeyRotationEnabled: true });
  kms.on(GetKeyPolicyCommand).resolves({ Policy: keyPolicy() });

  secrets.on(DescribeSecretCommand).resolves({ VersionIdsToStages: { one: ['AWSCURRENT'] } });
  secrets.on(GetResourcePolicyCommand).resolves({ ResourcePolicy: secretPolicy([]) });

  sqs.on(GetQueueAttributesCommand).resolves({ Attributes: { SqsManagedSseEnabled: 'true', ApproximateNumberOfMessages: '0' } });
  for (const [what, bucket] of [['ingest', stack.ingestBucket] as const, ['target-events', stack.targetBucket] as const]) {
    sqs.on(GetQueueAttributesCommand, { QueueUrl: queueUrl(what) }).resolves({ Attributes: queueAttributes(what, bucket) });
  }

  dynamodb.on(DescribeTableCommand).resolves({ Table: healthyTable });
  dynamodb.on(DescribeContinuousBackupsCommand).resolves({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' },
    },
  });

  iam.on(SimulatePrincipalPolicyCommand).callsFake((input: SimulatePrincipalPolicyCommandInput) => simulated(stack, policy, input));

  const context: DoctorContext = { clients, stack, policy, policyFile: 'policy.yml', operator: `arn:aws:iam::${ACCOUNT}:user/ops` };
  return { context, s3, kms, secrets, sqs, dynamodb, iam };
}

export const healthyTable = {
  TableStatus: 'ACTIVE' as const,
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' as const },
    { AttributeName: 'sk', KeyType: 'RANGE' as const },
  ],
  SSEDescription: { Status: 'ENABLED' as const },
};

export function queueAttributes(what: 'ingest' | 'target-events', bucket: string): Record<string, string> {
  return {
    SqsManagedSseEnabled: 'true',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn(`${what}-dead-letters`), maxReceiveCount: 5 }),
    Policy: queuePolicy(`arn:aws:s3:::${bucket}`),
  };
}

/** What roles that are just right may do. */
export function simulated(stack: Stack, policy: DoctorContext['policy'], input: SimulatePrincipalPolicyCommandInput) {
  const { PolicySourceArn, ResourceArns = [], ActionNames = [], ContextEntries = [] } = input;
  const said = ContextEntries.map(({ ContextKeyName, ContextKeyValues }) => [ContextKeyName, ContextKeyValues?.[0]]);
  const rights = expectations(stack, policy).filter(
    (expectation) =>
      roleArn(stack, expectation.function) === PolicySourceArn &&
      ResourceArns.includes(expectation.resource) &&
      JSON.stringify(Object.entries(expectation.context)) === JSON.stringify(said) &&
      expectation.allowed,
  );
  return {
    EvaluationResults: ActionNames.map((EvalActionName) => ({
      EvalActionName,
      EvalDecision: rights.some(({ actions }) => actions.includes(EvalActionName)) ? 'allowed' : 'implicitDeny',
    })),
  };
}

/** S3's words: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html */
export const DENIED_BY_BUCKET =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy';
export const NOT_ALLOWED =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action';
export const NO_KEY =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:111111111111:key/a because no identity-based policy allows the kms:GenerateDataKey action';
export const denied = (message: string) => refusal('AccessDenied', 403, message);
