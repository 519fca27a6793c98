/** The stack's KMS keys: one for objects, one for what operations need even when the first is shut. */
import { type Condition, type Part, policyDocument, ref, retained, type Statement, sub } from './cloudformation.ts';
import { stackKey } from './keys-in-use.ts';
import { ACCOUNT, alarmArns, bucketArn, functionsOf, roleArn, stackName, trailArn, VIA_S3 } from './names.ts';
import { inEnvelope, type Right, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

/** A key that is about to go is unusable at once; 30 days are the longest time to notice: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html */
const PENDING_DAYS = 30;

/**
 * All that administers a key and nothing that uses it. CreateGrant is left out: with a grant an administrator could use the key.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
 */
const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListKeyRotations',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

/** The key of a rule without `key`. Who uses it is said here by role and again in the role: both must allow. */
export function objectKey(stack: Stack, rights: Rights): Part {
  const outputs = { KeyArn: { Value: stackKey(stack), Description: "The stack's own KMS key." } };
  if (stack.settings.kmsKey !== null) return { Outputs: outputs };
  const users = functionsOf(stack).flatMap((name) => {
    const held = rights[name].filter((right) => isOnKey(right, stack));
    const called = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const inMessages = held.filter(({ condition }) => JSON.stringify(condition) === JSON.stringify(inEnvelope(stack)));
    const throughS3 = held.filter((right) => !inMessages.includes(right)).flatMap(({ actions }) => actions);
    return [
      ...(throughS3.length === 0 ? [] : [byS3(`${called}ByS3`, throughS3, [roleArn(stack, name)])]),
      ...inMessages.map(({ sid, actions }) => byPrincipals(`${called}${sid}`, actions, [roleArn(stack, name)], inEnvelope(stack))),
    ];
  });
  const { breakGlass } = stack.settings;
  if (breakGlass.length > 0) {
    users.push(byS3('BreakGlassByS3', ['kms:Decrypt', 'kms:GenerateDataKey'], breakGlass));
    users.push(byPrincipals('BreakGlassOpensMessages', ['kms:Decrypt'], breakGlass, inEnvelope(stack)));
  }
  return {
    Resources: {
      Key: key(`Sealdrop ${stack.stage}, encrypts objects in the target bucket`, [...administered(), ...users]),
      KeyAlias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: `alias/${stackName(stack)}`, TargetKeyId: ref('Key') } },
    },
    Outputs: outputs,
  };
}

/**
 * The key of alarms, audit bucket and CloudTrail's files: an alarm about the objects' key being disabled must still arrive.
 * EventBridge gives KMS no source to be held to: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
 */
export function operationsKey(stack: Stack): Part {
  if (stack.settings.operationsKey !== null) return {};
  const ownAlarms: Condition = {
    StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
    ArnLike: { 'aws:SourceArn': sub(alarmArns(stack)) },
  };
  const statements = [
    ...administered(),
    auditBucketByS3(stack),
    service('AlarmsNotify', 'cloudwatch.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], ownAlarms),
    service('KeyEventsNotify', 'events.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey']),
    ...(stack.settings.dataEvents
      ? [
          // Decrypt, since the bucket has a Bucket Key: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
          service('TrailEncrypts', 'cloudtrail.amazonaws.com', ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'], {
            ArnEquals: { 'aws:SourceArn': sub(trailArn(stack)) },
          }),
        ]
      : []),
  ];
  return {
    Resources: {
      OperationsKey: key(`Sealdrop ${stack.stage}, encrypts alarms and what audits are made of`, statements),
      OperationsKeyAlias: {
        Type: 'AWS::KMS::Alias',
        Properties: { AliasName: `alias/${stackName(stack)}-operations`, TargetKeyId: ref('OperationsKey') },
      },
    },
  };
}

function key(Description: string, statements: Statement[]) {
  return {
    Type: 'AWS::KMS::Key',
    ...retained,
    Properties: {
      Description,
      EnableKeyRotation: true,
      PendingWindowInDays: PENDING_DAYS,
      KeyPolicy: policyDocument(statements),
    },
  };
}

function administered(): Statement[] {
  return [
    { Sid: 'Administer', Effect: 'Allow', Principal: { AWS: sub(ACCOUNT) }, Action: ADMINISTRATION, Resource: '*' },
    {
      Sid: 'NoHastyDeletion',
      Effect: 'Deny',
      Principal: '*',
      Action: ['kms:ScheduleKeyDeletion'],
      Resource: '*',
      Condition: { NumericLessThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(PENDING_DAYS) } },
    },
  ];
}

/** The principal is the account, the condition the role: a role that is deleted and made again is let in again, and its own policy must allow as well. */
function byS3(Sid: string, actions: string[], principals: string[] | null): Statement {
  return {
    Sid,
    Effect: 'Allow',
    Principal: { AWS: sub(ACCOUNT) },
    Action: actions,
    Resource: '*',
    Condition: {
      StringEquals: { 'kms:ViaService': sub(VIA_S3), 'kms:CallerAccount': ref('AWS::AccountId') },
      ...(principals === null ? {} : { ArnEquals: { 'aws:PrincipalArn': principals.map(sub) } }),
    },
  };
}

/** For calls that they make themselves. @param held what these must say */
function byPrincipals(Sid: string, actions: string[], principals: string[], held: Condition): Statement {
  return {
    Sid,
    Effect: 'Allow',
    Principal: { AWS: sub(ACCOUNT) },
    Action: actions,
    Resource: '*',
    Condition: { ...held, ArnEquals: { 'aws:PrincipalArn': principals.map(sub) } },
  };
}

/**
 * IAM policies of the account decide who reads the audit bucket. What S3 encrypts for is the bucket with a Bucket Key and the object without:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
 */
function auditBucketByS3(stack: Stack): Statement {
  const bucket = bucketArn(stack, 'audit');
  const statement = byS3('AuditBucketByS3', ['kms:Decrypt', 'kms:GenerateDataKey'], null);
  return {
    ...statement,
    Condition: { ...statement.Condition, StringLike: { 'kms:EncryptionContext:aws:s3:arn': [sub(bucket), sub(`${bucket}/*`)] } },
  };
}

function service(Sid: string, Service: string, actions: string[], Condition?: Condition): Statement {
  return { Sid, Effect: 'Allow', Principal: { Service }, Action: actions, Resource: '*', ...(Condition && { Condition }) };
}

function isOnKey({ actions, resources }: Right, stack: Stack): boolean {
  const own = JSON.stringify(stackKey(stack));
  return actions.some((action) => action.startsWith('kms:')) && resources.some((resource) => JSON.stringify(resource) === own);
}
