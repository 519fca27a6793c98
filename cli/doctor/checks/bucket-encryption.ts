/** Default encryption, and whether the target lets SSE-C in. */
import { GetBucketEncryptionCommand, type ServerSideEncryptionRule } from '@aws-sdk/client-s3';
import { decryptKeyArns, namesMode } from '../../../src/policy/keys.ts';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { isOwnBucket } from '../names.ts';
import { addressOf, type BucketUnderCheck, question } from './bucket.ts';

export function checkEncryption(context: DoctorContext, bucket: BucketUnderCheck): Promise<Finding[]> {
  return look(
    question(bucket, 's3:GetEncryptionConfiguration'),
    () => context.clients.s3.send(new GetBucketEncryptionCommand(addressOf(bucket))),
    ({ ServerSideEncryptionConfiguration: { Rules = [] } = {} }) => {
      switch (bucket.subject) {
        case 'ingest-bucket':
          return unreadableSources(context, bucket, Rules);
        case 'target-bucket':
          return [...blockedSseC(context, bucket, Rules), ...otherDefault(context, bucket, Rules)];
        case 'audit-bucket':
          return otherDefault(context, bucket, Rules);
        default:
          return bucket.subject satisfies never;
      }
    },
    { ServerSideEncryptionConfigurationNotFoundError: () => otherDefault(context, bucket, []) },
  );
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html */
function blockedSseC(context: DoctorContext, bucket: BucketUnderCheck, rules: ServerSideEncryptionRule[]): Finding[] {
  const { policy, policyFile } = context;
  const blocked = rules.some((rule) => rule.BlockedEncryptionTypes?.EncryptionType?.includes('SSE-C'));
  if (!blocked || !namesMode(policy, 'sse-c')) return [];
  return [
    error(`${bucket.subject}.sse-c-blocked`, {
      resource: bucket.name,
      what: `the bucket blocks SSE-C, and ${policyFile} names it: those objects cannot be stored`,
      nextStep: "Set BlockedEncryptionTypes to NONE in the bucket's encryption, then move the messages back from the dead letters.",
      command: putEncryption(bucket, asNeeded(context, bucket, rules)),
      evidence: { rules },
    }),
  ];
}

/** Every write of ours names its encryption; the default is for those that name none. The audit bucket has a key of its own. */
function otherDefault(context: DoctorContext, bucket: BucketUnderCheck, rules: ServerSideEncryptionRule[]): Finding[] {
  const applied = rules[0]?.ApplyServerSideEncryptionByDefault;
  const key = defaultKey(context, bucket, rules);
  const asDeployed = applied?.SSEAlgorithm === 'aws:kms' && key !== undefined && applied.KMSMasterKeyID === key;
  if (asDeployed || !isOwnBucket(context.stack, bucket.name)) return [];
  return [
    warning(`${bucket.subject}.default-encryption`, {
      resource: bucket.name,
      what: `the default encryption is ${describe(rules)}, not a KMS key of the stack`,
      nextStep: 'Give the bucket its default back.',
      ...(key !== undefined && { command: putEncryption(bucket, asNeeded(context, bucket, rules)) }),
      evidence: { found: describe(rules), expected: `aws:kms ${key ?? ''}`.trim() },
    }),
  ];
}

/** All that is wrong with the one rule that a bucket has put right at once, since a command replaces it: a brought bucket keeps its default. */
function asNeeded(context: DoctorContext, bucket: BucketUnderCheck, [rule = {}]: ServerSideEncryptionRule[]): ServerSideEncryptionRule {
  const key = defaultKey(context, bucket, [rule]);
  const byDefault = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: key },
    BucketKeyEnabled: true,
  };
  const blocked = bucket.subject === 'target-bucket' && namesMode(context.policy, 'sse-c') ? 'NONE' : 'SSE-C';
  return {
    ...rule,
    ...(isOwnBucket(context.stack, bucket.name) && key !== undefined && byDefault),
    BlockedEncryptionTypes: { EncryptionType: [blocked] },
  };
}

function defaultKey({ stack }: DoctorContext, { subject }: BucketUnderCheck, [rule]: ServerSideEncryptionRule[]): string | undefined {
  return subject === 'audit-bucket' ? rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID : stack.keyArn;
}

function putEncryption({ name }: BucketUnderCheck, rule: ServerSideEncryptionRule): string {
  return awsCommand('s3api', 'put-bucket-encryption', { bucket: name, 'server-side-encryption-configuration': { Rules: [rule] } });
}

/** A source under a key that no rule names is one that encrypt has no right to read. */
function unreadableSources(
  { stack, policy }: DoctorContext,
  { subject, name }: BucketUnderCheck,
  rules: ServerSideEncryptionRule[],
): Finding[] {
  const applied = rules[0]?.ApplyServerSideEncryptionByDefault;
  if (applied?.SSEAlgorithm === undefined || applied.SSEAlgorithm === 'AES256') return [];
  if ([stack.keyArn, ...decryptKeyArns(policy)].includes(applied.KMSMasterKeyID ?? '')) return [];
  return [
    warning(`${subject}.default-encryption`, {
      resource: name,
      what: `what is dropped is encrypted under ${describe(rules)}, which the encrypt function may not be able to read`,
      nextStep: 'Make SSE-S3 the default of the ingest bucket, or let the encrypt role decrypt with that key.',
      command: awsCommand('s3api', 'put-bucket-encryption', {
        bucket: name,
        'server-side-encryption-configuration': {
          Rules: [
            { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } },
          ],
        },
      }),
      evidence: { found: describe(rules) },
    }),
  ];
}

function describe(rules: ServerSideEncryptionRule[]): string {
  const { SSEAlgorithm = 'none', KMSMasterKeyID } = rules[0]?.ApplyServerSideEncryptionByDefault ?? {};
  return KMSMasterKeyID === undefined ? SSEAlgorithm : `${SSEAlgorithm} ${KMSMasterKeyID}`;
}
