/** The transit function holds what its calls need, and nothing else: each grant is taken away once, and something must fail for it. */
import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT_ID } from '../../sandbox/account.ts';
import { createObjectRecords } from '../../src/audit/object-record.ts';
import { createAuditTrail } from '../../src/audit/trail.ts';
import { createDeadLetters } from '../../src/dead-letters.ts';
import { parseTransitEvent, type TransitOrder, transitDeletionBody, transitOrderBody } from '../../src/events/index.ts';
import { createOpenedWith } from '../../src/keys/opened-with.ts';
import { createCustomerKeys } from '../../src/keys/secret-keys.ts';
import { findCopy, transitName } from '../../src/transit-copy.ts';
import { processTransit, type TransitDeps } from '../../src/transit-objects.ts';
import { compilePolicy } from '../../stack/policy.ts';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';
import { keptLog, keptMetrics } from '../fixtures/aws.ts';
import { queued } from '../fixtures/messages.ts';
import { grantsOf, withoutGrant } from './grants.ts';

const MIB = 1024 ** 2;
const LIMITS = { partsAboveBytes: 6 * MIB, partBytes: 5 * MIB };
/** Lambda's own calls, and those of the runtime. */
const NOT_OF_THE_CODE = ['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];

let stack: LocalStack;
let orders: { small: TransitOrder; large: TransitOrder; missing: TransitOrder };
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/transit.yml');
  const [small, large] = [await dropped('cards/small.bin', 1000), await dropped('cards/large.bin', 11 * MIB)];
  orders = { small, large, missing: { ...small, versionId: (await dropped('cards/other.bin', 1)).versionId } };
  // What was stored before is opened by what its record names.
  const rotated = new PutSecretValueCommand({ SecretId: variable('SEALDROP_CUSTOMER_KEY_SECRET'), SecretBinary: randomBytes(32) });
  await stack.secrets.send(rotated);
}, 120_000);
afterAll(() => stack?.stop());

const variable = (name: string) => stack.env[name] ?? '';

async function dropped(key: string, size: number): Promise<TransitOrder> {
  await stack.drop(key, randomBytes(size), { Tagging: 'class=card' });
  await stack.settled();
  const { headers } = await stack.get(key, { method: 'HEAD' });
  const state = { versionId: headers.get('x-sealdrop-version-id') ?? '', etag: (headers.get('etag') ?? '').replaceAll('"', ''), size };
  return { kind: 'transit', bucket: stack.targetBucket, key, ...state, requestedAt: new Date().toISOString(), correlationId: 'asked' };
}

/** The function's code under its own role, as if nothing had been done before. */
function deps(): TransitDeps {
  const credentials = stack.sandbox.functionCredentials(`${variable('SEALDROP_STACK')}-transit`);
  const config = { endpoint: variable('AWS_ENDPOINT_URL'), region: variable('AWS_REGION'), credentials, maxAttempts: 1 };
  const dynamodb = new DynamoDBClient(config);
  const sqs = new SQSClient(config);
  return {
    s3: new S3Client({ ...config, forcePathStyle: true }),
    sqs,
    policy: compilePolicy('test/e2e/transit.yml'),
    targetBucket: stack.targetBucket,
    targetBucketOwner: ACCOUNT_ID,
    transitBucket: variable('SEALDROP_TRANSIT_BUCKET'),
    transitBucketOwner: ACCOUNT_ID,
    encryption: { mode: 'sse-kms', keyArn: variable('SEALDROP_KMS_KEY_ARN'), bucketKey: true },
    customerKeys: createCustomerKeys({
      secretsManager: new SecretsManagerClient(config),
      secretId: variable('SEALDROP_CUSTOMER_KEY_SECRET'),
    }),
    openedWith: createOpenedWith(),
    trail: createAuditTrail(dynamodb, variable('SEALDROP_AUDIT_TABLE')),
    records: createObjectRecords(dynamodb, variable('SEALDROP_AUDIT_TABLE')),
    limits: LIMITS,
    deadLetters: createDeadLetters(sqs, variable('SEALDROP_TRANSIT_DEAD_LETTER_QUEUE_URL')),
    queueUrl: variable('SEALDROP_TRANSIT_QUEUE_URL'),
    maxReceiveCount: 5,
    metrics: keptMetrics(),
    log: keptLog(),
  };
}

/** @returns what did not go as it must, of everything that the function does; leaves nothing behind, where it may */
async function wrongs(): Promise<string[]> {
  const wrong: string[] = [];
  const expectEnd = async (what: string, body: string, changes: Partial<TransitDeps> = {}, verdict = 'done') => {
    const own = { ...deps(), ...changes };
    const [settled] = await processTransit(parseTransitEvent(queued([body]), own.targetBucket), own);
    if (settled?.verdict !== verdict) wrong.push(`${what}: ${settled?.verdict}, ${settled?.error?.message}`);
  };
  const own = deps();
  for (const [what, order] of Object.entries({ small: orders.small, large: orders.large })) {
    await expectEnd(what, transitOrderBody(order));
    const name = transitName(order);
    const copy = await findCopy({ ...own, s3: s3OfDownload() }, name);
    if (copy === null) wrong.push(`${what}: there is no copy`);
    if (copy !== null) {
      const { bucket, key, versionId, correlationId } = order;
      const deletion = { kind: 'transit-delete' as const, bucket, key, versionId, correlationId, copy: { name, etag: copy.etag } };
      await expectEnd(`deletion of ${what}`, transitDeletionBody(deletion));
    }
  }
  await expectEnd('missing', transitOrderBody(orders.missing));
  await expectEnd('nonsense', '{}', {}, 'dead-lettered');
  // Time that ends in the middle: no upload is left.
  const stop = new AbortController();
  await expectEnd('too long', transitOrderBody(orders.large), stopAfterFirstPart(stop), 'retry');
  if (await uploadsLeft()) wrong.push('too long: an upload is left');
  // The delay of a retry.
  const change = new ChangeMessageVisibilityCommand({ QueueUrl: own.queueUrl, ReceiptHandle: 'none', VisibilityTimeout: 1 });
  await own.sqs.send(change).catch((error: Error) => {
    if (/AccessDenied/.test(error.name)) wrong.push(`delay: ${error.name}`);
  });
  await clear();
  return wrong;
}

function stopAfterFirstPart(stop: AbortController): Partial<TransitDeps> {
  const own = deps();
  own.s3.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (commandName === 'UploadPartCopyCommand') stop.abort();
        return answer;
      },
    { step: 'initialize' },
  );
  return { s3: own.s3, stop: stop.signal, limits: { ...LIMITS, parallelParts: 1 } };
}

function s3OfDownload(): S3Client {
  const credentials = stack.sandbox.functionCredentials(`${variable('SEALDROP_STACK')}-download`);
  return new S3Client({ endpoint: variable('AWS_ENDPOINT_URL'), region: variable('AWS_REGION'), credentials, forcePathStyle: true });
}

async function uploadsLeft(): Promise<boolean> {
  const { Uploads = [] } = await stack.s3.send(new ListMultipartUploadsCommand({ Bucket: variable('SEALDROP_TRANSIT_BUCKET') }));
  return Uploads.length > 0;
}

/** Whatever a right that was missing has left. */
async function clear(): Promise<void> {
  const Bucket = variable('SEALDROP_TRANSIT_BUCKET');
  const { Contents = [] } = await stack.s3.send(new ListObjectsV2Command({ Bucket }));
  const { Uploads = [] } = await stack.s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key = '' } of Contents) await stack.s3.send(new DeleteObjectCommand({ Bucket, Key }));
  for (const { Key = '', UploadId = '' } of Uploads) {
    await stack.s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
}

test('the role lets the function do all that it does', async () => {
  expect(await wrongs()).toEqual([]);
}, 60_000);

test('each grant is needed', async () => {
  const grants = grantsOf({ stack }, 'transit').filter(({ action }) => !NOT_OF_THE_CODE.includes(action));
  const idle: string[] = [];
  for (const { Sid, action } of grants) {
    await withoutGrant({ stack }, 'transit', Sid, action, async () => {
      if ((await wrongs()).length === 0) idle.push(`${Sid}: ${action}`);
    });
  }
  expect(idle).toEqual([]);
  expect(await wrongs()).toEqual([]);
}, 180_000);
