/** What each function may do, and nothing else: one table, from which roles, key policy, bucket policy and secret policy follow. Pure. */
import { usesTransit } from '../src/policy/downloads.ts';
import {
  decryptKeyArns,
  decryptsSources,
  encryptKeyArns,
  namesManagedKey,
  namesMode,
  namesStackKey,
  openingKeyArns,
  sealingKeyArns,
  sealsUnderStackKey,
  sourceKeyArns,
} from '../src/policy/keys.ts';
import { usesLinks } from '../src/policy/links.ts';
import { type Condition, sub, type Text } from './cloudformation.ts';
import { customerKeySecret, stackKey, wrappingKeySecret } from './keys-in-use.ts';
import {
  bucketArn,
  bucketName,
  type FunctionName,
  functionsOf,
  logStreamArns,
  queueArn,
  tableArn,
  VIA_S3,
  VIA_SECRETS_MANAGER,
} from './names.ts';
import type { Stack } from './stack.ts';

export interface Right {
  /** The statement's Sid: what the right is for. */
  sid: string;
  actions: string[];
  resources: Text[];
  condition?: Condition;
  /** Why the resource is no narrower. */
  reason?: string;
}

export type Rights = Record<FunctionName, Right[]>;

export function rightsOf(stack: Stack): Rights {
  const own: Rights = {
    // ReceiveMessage; CopyObject, UploadPartCopy, HeadObject and GetObjectTagging of the source; an upload from CreateMultipartUpload to its end or
    // AbortMultipartUpload; Query of records and claims, BatchWriteItem; SendMessage of dead letters and continuations, ChangeMessageVisibility.
    encrypt: [
      right(
        'ReadSource',
        ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTagging', 's3:GetObjectVersionTagging'],
        objects(stack, 'ingest'),
      ),
      tellMissingFromDenied(stack, 'ingest'),
      ...(stack.policy.source === 'delete' ? deleteSource(stack) : []),
      right(
        'WriteTarget',
        ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        objects(stack, 'target'),
      ),
      ...compareTarget(stack),
      items('ReadRecordsAndClaims', ['dynamodb:Query'], ['object'], stack),
      items('WriteEventsAndRecords', ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'], ['audit', 'object'], stack),
      ...consume(stack, 'ingest'),
      right('SendContinuations', ['sqs:SendMessage'], [sub(queueArn(stack, 'ingest'))]),
      ...(namesMode(stack.policy, 'sse-c') ? readCustomerKey(stack) : []),
      ...(namesMode(stack.policy, 'cse-aes') ? readWrappingKey(stack) : []),
      ...openSources(stack),
      ...inEnvelopes(
        'SealMessages',
        ['kms:GenerateDataKey'],
        [...(sealsUnderStackKey(stack.policy) ? [stackKey(stack)] : []), ...sealingKeyArns(stack.policy)],
        stack,
      ),
      ...byS3('EncryptByS3', ['kms:GenerateDataKey', 'kms:Decrypt'], encryptKeys(stack)),
      ...nameManagedKey(stack),
    ],
    // ReceiveMessage, HeadObject and GetObjectTagging by version, Query of records, BatchWriteItem of events.
    audit: [
      {
        ...right(
          'InspectTarget',
          ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTagging', 's3:GetObjectVersionTagging'],
          objects(stack, 'target'),
        ),
        reason: 'HeadObject has no action of its own; without any key it opens nothing under KMS or SSE-C.',
      },
      tellMissingFromDenied(stack, 'target'),
      items('ReadRecords', ['dynamodb:Query'], ['object'], stack),
      items('WriteEvents', ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'], ['audit'], stack),
      ...consume(stack, 'target-events'),
      ...nameManagedKey(stack),
    ],
    authorize: [],
    // GetObject and HeadObject, also of a version and by URLs for callers; Query of records, PutItem of events and of ranges.
    download: [
      right('ReadTarget', ['s3:GetObject', 's3:GetObjectVersion'], objects(stack, 'target')),
      tellMissingFromDenied(stack, 'target'),
      items('ReadRecords', ['dynamodb:Query'], ['object'], stack),
      items('RecordReads', ['dynamodb:PutItem'], ['audit', 'reads'], stack),
      // Objects of a former policy may be under SSE-C or encrypted before S3 saw them, whatever today's says.
      ...readCustomerKey(stack),
      ...readWrappingKey(stack),
      ...inEnvelopes('OpenMessages', ['kms:Decrypt'], [stackKey(stack), ...openingKeyArns(stack.policy)], stack),
      ...byS3('DecryptByS3', ['kms:Decrypt'], [stackKey(stack), ...decryptKeyArns(stack.policy)]),
      ...(usesTransit(stack.policy) ? orderCopies(stack) : []),
      ...(usesLinks(stack.policy) ? [...links('UseLinks', stack)] : []),
    ],
    // ListObjectsV2; refusals are recorded.
    list: [
      right('ListTarget', ['s3:ListBucket'], [sub(bucketArn(stack, 'target'))]),
      items('RecordRefusals', ['dynamodb:PutItem'], ['audit'], stack),
    ],
    history: [
      items('ReadEvents', ['dynamodb:Query'], ['audit', 'reads'], stack),
      items('RecordRefusals', ['dynamodb:PutItem'], ['audit'], stack),
    ],
    health: [],
    transit: usesTransit(stack.policy) ? makeCopies(stack) : [],
    // ListObjectVersions, which tells versions without a key; links and events are written, and read by their ids.
    share: usesLinks(stack.policy)
      ? [
          right('FindVersions', ['s3:ListBucketVersions'], [sub(bucketArn(stack, 'target'))]),
          ...links('KeepLinks', stack),
          items('RecordLinks', ['dynamodb:PutItem'], ['audit'], stack),
        ]
      : [],
  };
  for (const name of functionsOf(stack)) own[name] = [...everyFunction(stack, name), ...own[name]];
  return own;
}

/** The functions that hold `action` on one of `resources`; what guards these resources must let them through. */
export function functionsWith(rights: Rights, action: string, resources: Text[]): FunctionName[] {
  const named = new Set(resources.map((resource) => JSON.stringify(resource)));
  return (Object.keys(rights) as FunctionName[]).filter((name) =>
    rights[name].some((held) => held.actions.includes(action) && held.resources.some((resource) => named.has(JSON.stringify(resource)))),
  );
}

export const objects = (stack: Stack, which: 'ingest' | 'target' | 'transit'): Text[] => [sub(`${bucketArn(stack, which)}/*`)];

function everyFunction(stack: Stack, name: FunctionName): Right[] {
  const logs = right('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [sub(logStreamArns(stack, name))]);
  const traces: Right = {
    ...right('WriteTraces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
    reason: 'X-Ray knows no resources for these: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
  };
  return stack.settings.tracing ? [logs, traces] : [logs];
}

/** Without ListBucket S3 answers 403 for an object that is not there. */
function tellMissingFromDenied(stack: Stack, which: 'ingest' | 'target'): Right {
  return right('TellMissingFromDenied', ['s3:ListBucket'], [sub(bucketArn(stack, which))]);
}

/** Looks for copies for downloads, gives URLs of them, and asks for them. */
function orderCopies(stack: Stack): Right[] {
  return [
    right('ReadCopies', ['s3:GetObject'], objects(stack, 'transit')),
    right('LookForCopies', ['s3:ListBucket'], [sub(bucketArn(stack, 'transit'))]),
    right('OrderCopies', ['sqs:SendMessage'], [sub(queueArn(stack, 'transit'))]),
  ];
}

/**
 * ReceiveMessage; HeadObject, GetObjectTagging, CopyObject and UploadPartCopy of the target's objects; HeadObject of copies, an upload from
 * CreateMultipartUpload to its end, DeleteObject, whose condition needs GetObject; Query of records, PutItem of events; SendMessage of dead letters and
 * deletions, ChangeMessageVisibility.
 */
function makeCopies(stack: Stack): Right[] {
  return [
    // Every call names a version, for which S3 asks for this right alone: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (versionId)
    right('ReadVersions', ['s3:GetObjectVersion', 's3:GetObjectVersionTagging'], objects(stack, 'target')),
    tellMissingFromDenied(stack, 'target'),
    right('WriteCopies', ['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload'], objects(stack, 'transit')),
    right('CompareCopies', ['s3:GetObject'], objects(stack, 'transit')),
    right('LookForCopies', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], [sub(bucketArn(stack, 'transit'))]),
    right('DeleteCopies', ['s3:DeleteObject'], objects(stack, 'transit')),
    items('ReadRecords', ['dynamodb:Query'], ['object'], stack),
    items('WriteEvents', ['dynamodb:PutItem'], ['audit'], stack),
    ...consume(stack, 'transit'),
    right('OrderDeletions', ['sqs:SendMessage'], [sub(queueArn(stack, 'transit'))]),
    ...readCustomerKey(stack),
    // For this bucket alone, as its Bucket Key names it: what lies under the same key in the target stays shut.
    ...byS3('EncryptByS3', ['kms:GenerateDataKey', 'kms:Decrypt'], [stackKey(stack)], {
      'kms:EncryptionContext:aws:s3:arn': sub(bucketArn(stack, 'transit')),
    }),
  ];
}

/**
 * What a copy takes the place of. No code of the function reads bytes of the target: ETag conditions of a write need GetObject, HeadObject of a
 * finished upload has no action of its own, and ListBucket gives an ETag without the customer key.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
function compareTarget(stack: Stack): Right[] {
  return [
    {
      ...right('CompareTarget', ['s3:GetObject'], objects(stack, 'target')),
      reason: 'S3 has no narrower action for the ETag of an object that a write is to replace.',
    },
    {
      ...right('LookAtTarget', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], [sub(bucketArn(stack, 'target'))]),
      reason: 'Any key may be looked for; without ListBucket S3 also answers 403 for an object that is not there.',
    },
  ];
}

/** By version id alone, in a bucket that has versions: the function looks whether it has, and refuses to start otherwise. */
function deleteSource(stack: Stack): Right[] {
  return [
    right('DeleteSource', ['s3:DeleteObjectVersion'], objects(stack, 'ingest')),
    right('SeeVersioning', ['s3:GetBucketVersioning'], [sub(bucketArn(stack, 'ingest'))]),
  ];
}

/**
 * Items of the audit table by their partition keys: events of the target's objects, records of them, ranges that were read of them.
 * ForAllValues holds for a request without any key, so the key must be there as well:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
function items(sid: string, actions: string[], kinds: ('audit' | 'object' | 'reads')[], stack: Stack): Right {
  const partitions = kinds.map((kind) => sub(`${kind}#${bucketName(stack, 'target')}/*`));
  const condition = {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
  return { ...right(sid, actions, [sub(tableArn(stack))]), condition };
}

/** Links stand by the digests of their tokens, whatever they open. */
function links(sid: string, stack: Stack): Right[] {
  const condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['link#*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } };
  return [{ ...right(sid, ['dynamodb:Query', 'dynamodb:PutItem'], [sub(tableArn(stack))]), condition }];
}

function consume(stack: Stack, queue: 'ingest' | 'target-events' | 'transit'): Right[] {
  const take = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'];
  return [
    right('ConsumeQueue', take, [sub(queueArn(stack, queue))]),
    right('SendDeadLetters', ['sqs:SendMessage'], [sub(queueArn(stack, `${queue}-dead-letters`))]),
  ];
}

function readCustomerKey(stack: Stack): Right[] {
  return readSecret('CustomerKey', customerKeySecret(stack), stack.settings.customerKeySecret);
}

function readWrappingKey(stack: Stack): Right[] {
  const secret = wrappingKeySecret(stack);
  return secret === null ? [] : readSecret('WrappingKey', secret, stack.settings.wrappingKeySecret);
}

/** A secret that was brought may be under a customer managed key, which Secrets Manager then uses in the role's name. */
function readSecret(what: string, secret: Text, brought: string | null): Right[] {
  const read = right(`Read${what}`, ['secretsmanager:GetSecretValue'], [secret]);
  if (brought === null) return [read];
  return [
    read,
    {
      ...right(`Decrypt${what}`, ['kms:Decrypt'], [sub(`arn:\${AWS::Partition}:kms:\${AWS::Region}:*:key/*`)]),
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
      condition: { StringEquals: { 'kms:ViaService': sub(VIA_SECRETS_MANAGER), 'kms:EncryptionContext:SecretARN': brought } },
      reason: 'Which key the secret is under is not known here; the conditions let it open this one secret and nothing else.',
    },
  ];
}

function encryptKeys(stack: Stack): Text[] {
  return [...(namesStackKey(stack.policy) ? [stackKey(stack)] : []), ...encryptKeyArns(stack.policy)];
}

/** S3 speaks to KMS, in the role's name. @param held what else a request must say */
function byS3(sid: string, actions: string[], keys: Text[], held: Record<string, Text> = {}): Right[] {
  return onKeys(sid, actions, keys, { StringEquals: { 'kms:ViaService': sub(VIA_S3), ...held } });
}

/** The role asks KMS itself, for data keys of messages that are meant for the target bucket and for nothing else. */
function inEnvelopes(sid: string, actions: string[], keys: Text[], stack: Stack): Right[] {
  return onKeys(sid, actions, keys, inEnvelope(stack));
}

export const inEnvelope = (stack: Stack): Condition => ({
  StringEquals: { 'kms:EncryptionContext:sealdrop': 'cse', 'kms:EncryptionContext:bucket': sub(bucketName(stack, 'target')) },
});

/**
 * What the S3 Encryption Client wrote is bound to how its content is encrypted by the encryption context; the oldest of it is not, and then the key
 * alone is what the role is held to.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/materials/s3-kms-keyring.md
 */
function openSources(stack: Stack): Right[] {
  const { policy, settings } = stack;
  if (!decryptsSources(policy)) return [];
  const suites = { StringEquals: { 'kms:EncryptionContext:aws:x-amz-cek-alg': ['AES/GCM/NoPadding', '115'] } };
  const opened = onKeys('OpenSources', ['kms:Decrypt'], sourceKeyArns(policy), suites);
  const legacy = opened.map(({ condition: _, ...right }) => ({
    ...right,
    reason: 'policy.yml takes sources of the oldest formats, whose encryption context says nothing that could be asked for.',
  }));
  const { sourceKeySecret } = settings;
  return [
    ...(policy.s3EncryptionClient?.legacy ? legacy : opened),
    ...(sourceKeySecret === null ? [] : readSecret('SourceKey', sourceKeySecret, sourceKeySecret)),
  ];
}

function onKeys(sid: string, actions: string[], keys: Text[], condition: Condition): Right[] {
  const distinct = [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
  return distinct.length === 0 ? [] : [{ ...right(sid, actions, distinct), condition }];
}

/** To learn which key aws/s3 is, so that S3's answer can be compared with it. */
function nameManagedKey(stack: Stack): Right[] {
  if (!namesManagedKey(stack.policy)) return [];
  return [
    {
      ...right('NameManagedKey', ['kms:DescribeKey'], [sub(`arn:\${AWS::Partition}:kms:\${AWS::Region}:\${AWS::AccountId}:key/*`)]),
      condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/aws/s3' } },
      reason: "AWS makes the key's id; the alias in the condition is all that is known of it beforehand.",
    },
  ];
}

function right(sid: string, actions: string[], resources: Text[]): Right {
  return { sid, actions, resources };
}
