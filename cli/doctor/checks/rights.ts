/** What each function must be able to do, and a few things that it must not: written down here a second time, by hand. Pure. */
import { usesTransit } from '../../../src/policy/downloads.ts';
import {
  decryptKeyArns,
  encryptKeyArns,
  namesMode,
  namesStackKey,
  openingKeyArns,
  sealingKeyArns,
  sealsUnderStackKey,
} from '../../../src/policy/keys.ts';
import { usesLinks } from '../../../src/policy/links.ts';
import type { Policy } from '../../../src/policy/schema.ts';
import type { Stack } from '../../stack.ts';
import { bucketArn, type FunctionName, queueArn, tableArn, transitBucket, transitQueueUrl } from '../names.ts';

/** Actions on one resource, as one function. */
export interface Expectation {
  function: FunctionName;
  actions: string[];
  resource: string;
  allowed: boolean;
  /** Condition keys that the roles' policies ask for. */
  context: Readonly<Record<string, string>>;
}

/** What S3 asks KMS for: with a Bucket Key the bucket. */
const OPENED = 'kms:EncryptionContext:aws:s3:arn';
/** Any key will do: rights are by bucket. */
const SOME_KEY = 'sealdrop-doctor/any';

const READ_OBJECT = ['s3:GetObject', 's3:GetObjectVersion'];
const READ_TAGS = ['s3:GetObjectTagging', 's3:GetObjectVersionTagging'];
const CONSUME = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'];
const DESTROY = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutBucketPolicy'];
/** Of a copy in parts, from its first to its last call. */
const UPLOAD = ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
/** By version id alone. */
const DELETE_SOURCE = ['s3:DeleteObjectVersion'];

/** Keys that new objects get; the stack's own only where a rule means it. */
export function encryptKeysOf(stack: Stack, policy: Policy): string[] {
  return [...new Set([...(namesStackKey(policy) ? [stack.keyArn] : []), ...encryptKeyArns(policy)])];
}

export function expectations(stack: Stack, policy: Policy): Expectation[] {
  const ingest = bucketArn(stack, stack.ingestBucket);
  const target = bucketArn(stack, stack.targetBucket);
  const source = `${ingest}/${SOME_KEY}`;
  const copy = `${target}/${SOME_KEY}`;
  const table = tableArn(stack);
  const trail = { 'dynamodb:LeadingKeys': `audit#${stack.targetBucket}/${SOME_KEY}` };
  const records = { 'dynamodb:LeadingKeys': `object#${stack.targetBucket}/${SOME_KEY}` };
  const ranges = { 'dynamodb:LeadingKeys': `reads#${stack.targetBucket}/${SOME_KEY}` };
  const throughS3 = { 'kms:ViaService': `s3.${stack.region}.amazonaws.com` };
  const secret = stack.customerKeySecret;
  const wrapping = stack.wrappingKeySecret;
  const inMessage = { 'kms:EncryptionContext:sealdrop': 'cse', 'kms:EncryptionContext:bucket': stack.targetBucket };
  const sealingKeys = [...(sealsUnderStackKey(policy) ? [stack.keyArn] : []), ...sealingKeyArns(policy)];
  const encryptKeys = encryptKeysOf(stack, policy);
  const decryptKeys = [...new Set([stack.keyArn, ...decryptKeyArns(policy)])];
  const may = (name: FunctionName, actions: string[], resource: string, context: Expectation['context'] = {}): Expectation => ({
    function: name,
    actions,
    resource,
    allowed: true,
    context,
  });
  const mayNot = (...args: Parameters<typeof may>): Expectation => ({ ...may(...args), allowed: false });
  /** Copies for downloads: who makes them, and who gives them out. */
  const share = (): Expectation[] => {
    const links = { 'dynamodb:LeadingKeys': `link#${SOME_KEY}` };
    return [
      may('share', ['s3:ListBucketVersions'], target),
      may('share', ['dynamodb:Query', 'dynamodb:PutItem'], table, links),
      may('share', ['dynamodb:PutItem'], table, trail),
      may('download', ['dynamodb:Query', 'dynamodb:PutItem'], table, links),
      mayNot('share', ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', ...DESTROY], copy),
      mayNot('share', ['kms:Decrypt'], stack.keyArn, throughS3),
      mayNot('share', ['secretsmanager:GetSecretValue'], secret),
      mayNot('share', ['dynamodb:DeleteItem', 'dynamodb:UpdateItem'], table, links),
    ];
  };
  const transit = (): Expectation[] => {
    const bucket = bucketArn(stack, transitBucket(stack));
    const queue = queueArn(stack, transitQueueUrl(stack, 'transit'));
    const object = `${bucket}/${SOME_KEY}`;
    return [
      may('download', ['s3:GetObject'], object),
      may('download', ['s3:ListBucket'], bucket),
      may('download', ['sqs:SendMessage'], queue),
      mayNot('download', ['s3:PutObject', 's3:DeleteObject'], object),
      may('transit', ['s3:GetObjectVersion', 's3:GetObjectVersionTagging'], copy),
      may('transit', ['s3:ListBucket'], target),
      may('transit', ['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload', 's3:DeleteObject'], object),
      may('transit', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], bucket),
      may('transit', ['dynamodb:Query'], table, records),
      may('transit', ['dynamodb:PutItem'], table, trail),
      may('transit', [...CONSUME, 'sqs:SendMessage'], queue),
      may('transit', ['sqs:SendMessage'], queueArn(stack, transitQueueUrl(stack, 'transit-dead-letters'))),
      may('transit', ['secretsmanager:GetSecretValue'], secret),
      may('transit', ['kms:GenerateDataKey', 'kms:Decrypt'], stack.keyArn, { ...throughS3, [OPENED]: bucket }),
      mayNot('transit', ['kms:Decrypt'], stack.keyArn, { ...throughS3, [OPENED]: target }),
      mayNot('transit', ['s3:PutObject', ...DESTROY], copy),
      mayNot('transit', ['s3:GetObject', 's3:PutObject'], source),
    ];
  };
  return [
    may('encrypt', [...READ_OBJECT, ...READ_TAGS], source),
    may('encrypt', ['s3:ListBucket'], ingest),
    ...(policy.source === 'delete'
      ? [may('encrypt', DELETE_SOURCE, source), may('encrypt', ['s3:GetBucketVersioning'], ingest)]
      : [mayNot('encrypt', DELETE_SOURCE, source)]),
    mayNot('encrypt', ['s3:DeleteObject', 's3:PutObject'], source),
    may('encrypt', UPLOAD, copy),
    // What a condition on the target's ETag needs.
    may('encrypt', ['s3:GetObject'], copy),
    may('encrypt', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], target),
    may('encrypt', ['dynamodb:Query'], table, records),
    may('encrypt', ['dynamodb:PutItem', 'dynamodb:BatchWriteItem'], table, trail),
    may('encrypt', ['dynamodb:PutItem', 'dynamodb:BatchWriteItem'], table, records),
    may('encrypt', CONSUME, queueArn(stack, stack.ingestQueueUrl)),
    may('encrypt', ['sqs:SendMessage'], queueArn(stack, stack.ingestQueueUrl)),
    may('encrypt', ['sqs:SendMessage'], queueArn(stack, stack.deadLetterQueueUrl)),
    ...(namesMode(policy, 'sse-c') ? [may('encrypt', ['secretsmanager:GetSecretValue'], secret)] : []),
    ...encryptKeys.map((key) => may('encrypt', ['kms:GenerateDataKey', 'kms:Decrypt'], key, throughS3)),
    ...(wrapping !== null && namesMode(policy, 'cse-aes') ? [may('encrypt', ['secretsmanager:GetSecretValue'], wrapping)] : []),
    ...sealingKeys.map((key) => may('encrypt', ['kms:GenerateDataKey'], key, inMessage)),
    mayNot('encrypt', ['kms:Decrypt'], stack.keyArn, inMessage),
    mayNot('encrypt', ['s3:GetObjectVersion', ...DESTROY], copy),
    mayNot('encrypt', ['dynamodb:Query'], table, trail),
    mayNot('encrypt', ['kms:ScheduleKeyDeletion', 'kms:PutKeyPolicy'], stack.keyArn),

    may('audit', [...READ_OBJECT, ...READ_TAGS], copy),
    may('audit', ['s3:ListBucket'], target),
    may('audit', ['dynamodb:Query'], table, records),
    may('audit', ['dynamodb:PutItem', 'dynamodb:BatchWriteItem'], table, trail),
    may('audit', CONSUME, queueArn(stack, stack.targetEventsQueueUrl)),
    may('audit', ['sqs:SendMessage'], queueArn(stack, stack.targetEventsDeadLetterQueueUrl)),
    mayNot('audit', ['s3:PutObject', ...DESTROY], copy),
    mayNot('audit', ['kms:Decrypt'], stack.keyArn, throughS3),
    mayNot('audit', ['secretsmanager:GetSecretValue'], secret),

    may('download', ['s3:GetObject', 's3:GetObjectVersion'], copy),
    may('download', ['s3:ListBucket'], target),
    may('download', ['dynamodb:Query'], table, records),
    may('download', ['dynamodb:PutItem'], table, trail),
    may('download', ['dynamodb:PutItem'], table, ranges),
    may('download', ['secretsmanager:GetSecretValue'], secret),
    ...decryptKeys.map((key) => may('download', ['kms:Decrypt'], key, throughS3)),
    ...(wrapping === null ? [] : [may('download', ['secretsmanager:GetSecretValue'], wrapping)]),
    ...[stack.keyArn, ...openingKeyArns(policy)].map((key) => may('download', ['kms:Decrypt'], key, inMessage)),
    mayNot('download', ['kms:Decrypt'], stack.keyArn, { ...inMessage, 'kms:EncryptionContext:bucket': stack.ingestBucket }),
    mayNot('download', ['kms:GenerateDataKey'], stack.keyArn, inMessage),
    mayNot('download', ['s3:PutObject', ...DESTROY], copy),
    mayNot('download', ['kms:GenerateDataKey'], stack.keyArn, throughS3),
    mayNot('download', ['dynamodb:DeleteItem'], table, trail),

    may('list', ['s3:ListBucket'], target, { 's3:prefix': SOME_KEY }),
    may('list', ['dynamodb:PutItem'], table, trail),
    mayNot('list', ['s3:GetObject', 's3:PutObject'], copy),
    mayNot('list', ['kms:Decrypt'], stack.keyArn, throughS3),
    mayNot('list', ['secretsmanager:GetSecretValue'], secret),

    may('history', ['dynamodb:Query', 'dynamodb:PutItem'], table, trail),
    may('history', ['dynamodb:Query'], table, ranges),
    mayNot('history', ['dynamodb:PutItem'], table, ranges),
    mayNot('history', ['s3:GetObject', 's3:PutObject'], copy),
    mayNot('history', ['kms:Decrypt'], stack.keyArn, throughS3),
    mayNot('history', ['secretsmanager:GetSecretValue'], secret),

    ...(usesTransit(policy) ? transit() : []),
    ...(usesLinks(policy) ? share() : []),

    ...(['authorize', 'health'] as const).flatMap((name) => [
      mayNot(name, ['s3:GetObject', 's3:PutObject'], copy),
      mayNot(name, ['kms:Decrypt'], stack.keyArn, throughS3),
      mayNot(name, ['secretsmanager:GetSecretValue'], secret),
      mayNot(name, ['dynamodb:Query', 'dynamodb:PutItem'], table, trail),
    ]),
  ];
}
