/** Names and ARNs of everything, as texts for Fn::Sub: policies name each other's subjects, so that no two resources refer to each other in a circle. */
import { usesTransit } from '../src/policy/downloads.ts';
import { usesLinks } from '../src/policy/links.ts';
import type { Stack } from './stack.ts';

/** The functions of every stack, each with a role of its own. */
export const FUNCTIONS = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'] as const;
/** `transit` is there where policy.yml allows copies for downloads, `share` where it lets somebody share. */
export type FunctionName = (typeof FUNCTIONS)[number] | 'transit' | 'share';

export const functionsOf = ({ policy }: Pick<Stack, 'policy'>): FunctionName[] => [
  ...FUNCTIONS,
  ...(usesTransit(policy) ? (['transit'] as const) : []),
  ...(usesLinks(policy) ? (['share'] as const) : []),
];

export type BucketName = 'ingest' | 'target' | 'audit' | 'transit';

/** `Ref` and `GetAtt` name a role so. */
export const roleId = (name: FunctionName): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;

/** As osls names it; the metrics' dimension too. */
export const stackName = ({ stage }: Stack): string => `sealdrop-${stage}`;

export const functionName = ({ stage }: Stack, name: FunctionName): string => `sealdrop-${stage}-${name}`;

/** Unique among all accounts and Regions, as bucket names must be. */
export const nameOf = ({ stage }: Stack, what: string): string => `sealdrop-${stage}-${what}-\${AWS::AccountId}-\${AWS::Region}`;

/** The stack's own, or the one that was brought. */
export function bucketName(stack: Stack, which: BucketName): string {
  const { ingestBucket, targetBucket, auditBucket } = stack.settings;
  const brought = { ingest: ingestBucket, target: targetBucket, audit: auditBucket, transit: null }[which];
  return brought ?? nameOf(stack, which);
}

/** The stack's own, or the one that was brought. */
export const tableName = (stack: Stack): string => stack.settings.auditTable ?? nameOf(stack, 'audit');

export const bucketArn = (stack: Stack, which: BucketName): string => `arn:\${AWS::Partition}:s3:::${bucketName(stack, which)}`;

export const roleArn = (stack: Stack, name: FunctionName): string =>
  `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${nameOf(stack, name)}`;

export const queueArn = (stack: Stack, what: string): string => regional('sqs', nameOf(stack, what));
export const tableArn = (stack: Stack): string => regional('dynamodb', `table/${tableName(stack)}`);
export const topicArn = (stack: Stack): string => regional('sns', nameOf(stack, 'alarms'));
export const trailArn = (stack: Stack): string => regional('cloudtrail', `trail/${nameOf(stack, 'reads')}`);
/** @param name what stands behind `sealdrop-STAGE-` in the rule's name */
export const ruleArn = (stack: Stack, name: string): string => regional('events', `rule/${stackName(stack)}-${name}`);
/** Without the six characters that Secrets Manager adds. */
export const partialSecretArn = (name: string): string => regional('secretsmanager', `secret:${name}`);
export const alarmArns = (stack: Stack): string => regional('cloudwatch', `alarm:${stackName(stack)}-*`);
/** All log streams of a function. */
export const logStreamArns = (stack: Stack, name: FunctionName): string =>
  regional('logs', `log-group:/aws/lambda/${functionName(stack, name)}:*`);

/** The account itself: in a resource's policy it hands the decision on to the account's IAM policies. */
export const ACCOUNT = `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root`;

/** How KMS sees requests that S3 makes for somebody: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service */
export const VIA_S3 = `s3.\${AWS::Region}.\${AWS::URLSuffix}`;

/** And those that Secrets Manager makes. */
export const VIA_SECRETS_MANAGER = `secretsmanager.\${AWS::Region}.\${AWS::URLSuffix}`;

/** Who owns the target bucket: another account's bucket may be brought. */
export const targetOwner = ({ settings }: Stack): string => settings.targetBucketOwner ?? `\${AWS::AccountId}`;

function regional(service: string, resource: string): string {
  return `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`;
}
