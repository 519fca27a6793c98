import { expect, test } from 'vitest';
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { sharedNames } from './template-name-rules.ts';
import { RULES } from './template-rules.ts';
import { sampleTemplate } from './template-sample.ts';
import { isRecord } from './template-values.ts';

/** Breaches of every rule, by the rule. */
function breaches(template: Template): Record<string, string[]> {
  const found = Object.entries(RULES).map(([name, rule]) => [name, rule(template, 'dev').map(({ subject }) => subject)] as const);
  return Object.fromEntries(found.filter(([, subjects]) => subjects.length > 0));
}

/** The sample with one value changed (`undefined`: taken away); numbers in a path count in lists. */
function broken(path: string, value?: unknown): Template {
  const template = sampleTemplate();
  const steps = path.split('/');
  const last = steps.pop() ?? '';
  let at: unknown = template.Resources;
  for (const step of steps) at = member(at, step);
  if (value === undefined && Array.isArray(at)) at.splice(Number(last), 1);
  else if (value === undefined) Reflect.deleteProperty(Object(at), last);
  else Reflect.set(Object(at), last, value);
  return template;
}

function member(value: unknown, step: string): unknown {
  if (Array.isArray(value) && Number(step) < value.length) return value[Number(step)];
  if (isRecord(value) && step in value) return value[step];
  throw new Error(`the sample has no ${step} there`);
}

const KEY = 'Key/Properties/KeyPolicy/Statement';
const ROLE = 'Role/Properties/Policies/0/PolicyDocument/Statement';
const BUCKET = 'DataPolicy/Properties/PolicyDocument/Statement';
const QUEUE = 'WorkPolicy/Properties/PolicyDocument/Statement';
const TABLE = 'Table/Properties/ResourcePolicy/PolicyDocument/Statement';
const SECRET = 'SecretPolicy/Properties/ResourcePolicy/Statement';
const allow = (more: object) => ({ Sid: 'New', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*', ...more });
const deny = (more: object) => ({
  Sid: 'New',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:PutObject',
  Resource: 'arn:aws:s3:::b/*',
  ...more,
});

/** Rule, what breaks it, and whom it names. */
const BREAKS: [rule: string, path: string, value: unknown, subject: string][] = [
  ['no wildcard among allowed actions', `${ROLE}/0/Action`, 's3:Get*', 'Read'],
  ['no wildcard among allowed actions', `${ROLE}/0`, { ...allow({}), Action: undefined, NotAction: 's3:PutObject' }, 'New'],
  ['no wildcard among resources', `${ROLE}/0/Resource`, '*', 'Read'],
  ['no wildcard among resources', `${ROLE}/0/Resource`, 'arn:aws:s3:::*/x', 'Read'],
  ['no wildcard among resources', `${ROLE}/0/Resource`, ['arn:aws:s3:::b/*', 'arn:aws:dynamodb:us-east-1:123456789012:table/*'], 'Read'],
  ['no wildcard among resources', `${ROLE}/0/Resource`, 'arn:aws:kms:us-east-1:123456789012:key/*', 'Read'],
  ['no wildcard among resources', `${ROLE}/0`, { ...allow({}), Resource: undefined, NotResource: 'arn:aws:s3:::b/*' }, 'New'],
  ['no wildcard among principals', `${QUEUE}/1/Principal`, '*', 'Events'],
  ['no wildcard among principals', `${QUEUE}/1/Principal`, { AWS: ['*'] }, 'Events'],
  ['no wildcard among principals', `${BUCKET}/2`, deny({ Principal: undefined, NotPrincipal: { AWS: '123456789012' } }), 'New'],
  ['a service acts only for this account or one resource of it', `${QUEUE}/1/Condition`, undefined, 'Events'],
  ['a service acts only for this account or one resource of it', 'Permission/Properties/SourceArn', undefined, 'Permission'],
  ['keys are used through a service, or for messages of this bucket', `${ROLE}/2/Condition`, undefined, 'Decrypt'],
  [
    'keys are used through a service, or for messages of this bucket',
    `${ROLE}/2/Condition`,
    { StringLike: { 'kms:ViaService': '*' } },
    'Decrypt',
  ],
  [
    'keys are used through a service, or for messages of this bucket',
    `${ROLE}/2/Condition`,
    { StringEquals: { 'kms:EncryptionContext:sealdrop': 'cse' } },
    'Decrypt',
  ],
  ['the table is used by its keys', `${ROLE}/1/Condition`, undefined, 'Record'],
  ['the table is used by its keys', `${ROLE}/1/Condition/Null`, undefined, 'Record'],
  ['the table is used by its keys', `${ROLE}/1/Condition/Null/dynamodb:LeadingKeys`, 'true', 'Record'],
  ['the table is used by its keys', `${ROLE}/1/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys`, ['audit#*', '*'], 'Record'],
  ['functions neither destroy nor administer', `${ROLE}/0/Action`, ['s3:GetObject', 's3:DeleteObject'], 'Read'],
  ['functions neither destroy nor administer', `${ROLE}/0/Action`, ['s3:PutBucketPolicy'], 'Read'],
  ['functions neither destroy nor administer', `${ROLE}/0/Action`, 'iam:PassRole', 'Read'],
  ['functions neither destroy nor administer', `${ROLE}/0/Action`, 'kms:CreateGrant', 'Read'],
  ['key policies let roles use the key, not the account', `${KEY}/1/Condition`, undefined, 'Use'],
  [
    'key policies let roles use the key, not the account',
    `${KEY}/1/Condition/ArnEquals/aws:PrincipalArn`,
    ['arn:aws:iam::123456789012:role/*'],
    'Use',
  ],
  ['the account can always change a key policy', `${KEY}/0/Action`, ['kms:DescribeKey'], 'Key'],
  ['the account can always change a key policy', `${KEY}/0/Condition`, { Bool: { 'aws:SecureTransport': 'true' } }, 'Key'],
  ['the account can always change a bucket policy', `${BUCKET}/2`, deny({ Action: 's3:*' }), 'New'],
  [
    'the account can always change a bucket policy',
    `${BUCKET}/2`,
    deny({ Action: ['s3:PutObject', 's3:PutBucketPol*'], Condition: { StringEquals: { 'aws:PrincipalArn': 'x' } } }),
    'New',
  ],
  ['grants are for resources of AWS alone', `${KEY}/2/Condition`, undefined, 'Grant'],
  ['statements are named once', `${ROLE}/0/Sid`, undefined, 'Role'],
  ['statements are named once', `${ROLE}/0/Sid`, 'Decrypt', 'Decrypt'],
  [
    'policies are within the limits of AWS',
    `${ROLE}/0/Resource`,
    Array.from({ length: 100 }, (_, n) => `arn:aws:s3:::${'b'.repeat(90)}${n}/x`),
    'Role (identity)',
  ],
  [
    'roles are for one function each',
    'Second',
    { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'sealdrop-dev-work', Role: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
    'Function Second',
  ],
  [
    'roles are taken by services of AWS alone',
    'Role/Properties/AssumeRolePolicyDocument/Statement/0/Principal',
    { AWS: '123456789012' },
    'Role',
  ],
  ['buckets are closed to the public', 'Data/Properties/PublicAccessBlockConfiguration/IgnorePublicAcls', false, 'Data'],
  ['buckets own their objects', 'Data/Properties/OwnershipControls/Rules/0/ObjectOwnership', 'ObjectWriter', 'Data'],
  ['buckets keep versions', 'Data/Properties/VersioningConfiguration', undefined, 'Data'],
  ['buckets encrypt', 'Data/Properties/BucketEncryption', undefined, 'Data'],
  ['buckets encrypt', 'Data/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled', false, 'Data'],
  ['buckets clear away unfinished uploads and old versions', 'Data/Properties/LifecycleConfiguration/Rules/0', undefined, 'Data'],
  ['buckets clear away unfinished uploads and old versions', 'Data/Properties/LifecycleConfiguration/Rules/1/Status', 'Disabled', 'Data'],
  ['buckets clear away unfinished uploads and old versions', 'Data/Properties/LifecycleConfiguration/Rules/1/Prefix', 'tmp/', 'Data'],
  ['buckets take TLS alone', `${BUCKET}/0/Resource/0`, undefined, 'Data'],
  ['buckets take TLS alone', `${BUCKET}/0/Action`, 's3:GetObject', 'Data'],
  ['buckets take TLS alone', `${BUCKET}/0/Principal`, { AWS: '123456789012' }, 'Data'],
  ['buckets take TLS 1.2 at least', `${BUCKET}/1/Condition/NumericLessThan/s3:TlsVersion`, '1.1', 'Data'],
  ['queues encrypt', 'Dead/Properties/SqsManagedSseEnabled', false, 'Dead'],
  ['queues take TLS alone', `${QUEUE}/0`, undefined, 'Work'],
  ['queues take TLS alone', `${QUEUE}/0/Condition/StringEquals`, { 'aws:SourceAccount': 'x' }, 'Work'],
  ['topics encrypt under a key that alarms may use', 'Topic/Properties/KmsMasterKeyId', undefined, 'Topic'],
  ['topics encrypt under a key that alarms may use', 'Topic/Properties/KmsMasterKeyId', 'alias/aws/sns', 'Topic'],
  ['topics take TLS alone', 'TopicPolicy/Properties/PolicyDocument/Statement/0/Condition', undefined, 'Topic'],
  ['tables encrypt and can be restored', 'Table/Properties/SSESpecification', undefined, 'Table'],
  ['tables encrypt and can be restored', 'Table/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled', false, 'Table'],
  ['a failed deployment takes its table back', 'Table/Properties/DeletionProtectionEnabled', true, 'Table'],
  [
    'what a table holds is never changed',
    `${TABLE}/0/Action`,
    ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:PartiQLUpdate'],
    'Table',
  ],
  ['keys rotate', 'Key/Properties/EnableKeyRotation', undefined, 'Key'],
  ['keys wait 30 days before they are gone', 'Key/Properties/PendingWindowInDays', 7, 'Key'],
  ['secrets are read by those who are named', `${SECRET}/0/Condition`, undefined, 'Secret'],
  ['secrets are read by those who are named', `${SECRET}/0/Action`, 'secretsmanager:DescribeSecret', 'Secret'],
  ['secrets wait 30 days before they are gone', `${SECRET}/1`, undefined, 'Secret'],
  ['secrets wait 30 days before they are gone', `${SECRET}/2/Condition/NumericLessThan/secretsmanager:RecoveryWindowInDays`, '7', 'Secret'],
  ['secrets wait 30 days before they are gone', `${SECRET}/2/Condition/ArnNotEquals`, { 'aws:PrincipalArn': 'x' }, 'Secret'],
  ['what holds data outlives the stack', 'Table/DeletionPolicy', 'Delete', 'Table'],
  ['what holds data outlives the stack', 'Secret/UpdateReplacePolicy', undefined, 'Secret'],
  ['what guards a retained resource is retained', 'DataPolicy/DeletionPolicy', undefined, 'DataPolicy'],
  ['what guards a retained resource is retained', 'SecretPolicy/UpdateReplacePolicy', 'Delete', 'SecretPolicy'],
  ['functions keep their logs for a while', 'Group/Properties/LogGroupName', '/aws/lambda/sealdrop-dev-other', 'Function'],
  [
    'environments hold no secret',
    'Function/Properties/Environment/Variables/CUSTOMER_KEY_SECRET',
    'swordfish',
    'Function.CUSTOMER_KEY_SECRET',
  ],
  ['environments hold no secret', 'Function/Properties/Environment/Variables/TABLE', '0123456789abcdef'.repeat(4), 'Function.TABLE'],
  ['environments hold no secret', 'Function/Properties/Environment/Variables/TABLE', '{{resolve:secretsmanager:x}}', 'Function.TABLE'],
  ['what a queue feeds repeats only what failed', 'Source/Properties/FunctionResponseTypes', undefined, 'Source'],
  ['a message is out of sight for longer than its work takes', 'Work/Properties/VisibilityTimeout', 59, 'Source'],
  ['buckets tell queues alone', 'Data/Properties/NotificationConfiguration/LambdaConfigurations', [], 'Data'],
  ['rules of EventBridge have dead letters', 'KeyEvents/Properties/Targets/0/DeadLetterConfig', undefined, 'KeyEvents'],
  [
    'patterns of EventBridge are within its limit',
    'KeyEvents/Properties/EventPattern',
    { source: ['aws.kms'], resources: ['k'.repeat(2048)] },
    'KeyEvents',
  ],
  ['every dead letter raises an alarm', 'Alarm/Properties/Threshold', 2, 'Dead'],
  ['every dead letter raises an alarm', 'Alarm/Properties/MetricName', 'NumberOfMessagesSent', 'Dead'],
  ['alarms are heard, and say what silence means', 'Alarm/Properties/AlarmActions', [], 'Alarm'],
  ['alarms are heard, and say what silence means', 'Alarm/Properties/TreatMissingData', undefined, 'Alarm'],
  ['the API asks who calls', 'Health/Properties/PathPart', 'objects', 'HealthGet'],
  ['names say the stage', 'Topic/Properties/TopicName', 'sealdrop-prod-alarms', 'Topic'],
  ['names say the stage', 'Data/Properties/BucketName', 'sealdrop-dev-data', 'Data'],
  [
    'names fit with the longest stage',
    'Role/Properties/RoleName',
    { 'Fn::Sub': `sealdrop-dev-work-of-a-day-\${AWS::AccountId}-\${AWS::Region}` },
    'Role',
  ],
  ['queues have dead letters', 'Lone', { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'lone' } }, 'Lone'],
  [
    'what sends to its own queue may loop, and nothing else',
    `${ROLE}/0`,
    allow({ Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Work', 'Arn'] } }),
    'Function',
  ],
  ['what sends to its own queue may loop, and nothing else', 'Function/Properties/RecursiveLoop', 'Allow', 'Function'],
  ['what a queue feeds has dead letters', 'Work/Properties/RedrivePolicy', undefined, 'Source'],
  ['log groups end some day', 'Group/Properties/RetentionInDays', undefined, 'Group'],
  [
    'nothing has the name of another',
    'Dead/Properties/QueueName',
    { 'Fn::Sub': `sealdrop-dev-work-\${AWS::AccountId}-\${AWS::Region}` },
    'Dead',
  ],
];

test('the sample keeps every rule', () => {
  expect(breaches(sampleTemplate())).toEqual({});
});

test.each(BREAKS)('"%s" is broken by %s', (rule, path, value, subject) => {
  expect(breaches(broken(path, value))[rule]).toEqual([subject]);
});

test('every rule is broken here at least once', () => {
  expect([...new Set(BREAKS.map(([rule]) => rule))].sort()).toEqual(Object.keys(RULES).sort());
});

test('what two stages would share is named', () => {
  expect(sharedNames(sampleTemplate(), sampleTemplate())).toContain('AWS::SNS::Topic sealdrop-dev-alarms');
  const Resources = { Topic: { ...sampleTemplate().Resources.Topic, Properties: { TopicName: 'sealdrop-prod-alarms' } } };
  expect(sharedNames(sampleTemplate(), Object.assign(sampleTemplate(), { Resources }))).toEqual([]);
});
