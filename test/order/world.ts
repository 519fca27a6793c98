/** The real encrypt handler over the sandbox's services, with a queue whose clock runs as the test says. */
import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { createHandler } from '../../handlers/encrypt.ts';
import { createObjectRecords } from '../../src/audit/object-record.ts';
import { createAuditTrail } from '../../src/audit/trail.ts';
import { createContinuations } from '../../src/continuations.ts';
import { createDeadLetters } from '../../src/dead-letters.ts';
import { createVersioningCheck } from '../../src/delete-source.ts';
import { secretKey } from '../../src/encryption/index.ts';
import { policyFingerprint } from '../../src/policy/fingerprint.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { ProcessDeps } from '../../src/process-ingest.ts';
import { lazily } from '../../src/runtime.ts';
import { keptLog, keptMetrics } from '../fixtures/aws.ts';
import { KEY_MATERIAL, KEY_VERSION } from '../fixtures/objects.ts';
import { createQueue, MAX_RECEIVES, type Queue } from './queue.ts';
import type { Schedule } from './schedule.ts';
import { type Services, TABLE, TARGET } from './services.ts';

const OWNER = '000000000000';
const QUEUE_URL = 'https://sqs.us-east-1.amazonaws.com/000000000000/ingest';
const DEAD_LETTER_URL = 'https://sqs.us-east-1.amazonaws.com/000000000000/dead-letters';

/** Objects above go by parts. */
export const PARTS_ABOVE_BYTES = 60;
const PART_BYTES = 40;

const policyText = (source: 'keep' | 'delete') => `
version: 1
rules:
  - { match: { prefix: c/ }, encryption: { mode: sse-c } }
  - { match: { prefix: s3/ }, encryption: { mode: sse-s3 } }
default: { encryption: { mode: sse-kms } }
source: ${source}
`;

export interface OrderWorld {
  /** A cold start: what a dead function kept for itself is gone with it. */
  newFunction(): ReturnType<typeof createHandler>;
  queue: Queue;
}

/** @param schedule lets the handler's calls go on; the clients are of this world alone */
export function orderWorld(services: Services, schedule: Schedule, source: 'keep' | 'delete'): OrderWorld {
  const [s3, dynamodb, sqs] = [services.s3(), services.dynamodb(), new SQSClient({ region: 'us-east-1' })];
  for (const client of [s3, dynamodb]) schedule.gate(client);
  const queue = createQueue();
  const mocked = mockClient(sqs);
  mocked.on(ChangeMessageVisibilityCommand).callsFake(({ ReceiptHandle, VisibilityTimeout }) =>
    schedule.call('ChangeMessageVisibilityCommand', async () => {
      queue.changeVisibility(ReceiptHandle, VisibilityTimeout);
      return {};
    }),
  );
  mocked.on(SendMessageCommand).callsFake(({ QueueUrl, MessageBody, MessageAttributes, DelaySeconds = 0 }) =>
    schedule.call('SendMessageCommand', async () => {
      if (QueueUrl === DEAD_LETTER_URL) queue.deadLetters.push({ body: MessageBody, code: MessageAttributes.code.StringValue });
      else queue.send(MessageBody, DelaySeconds);
      return {};
    }),
  );
  const policy = loadPolicy(policyText(source));
  const key = secretKey(KEY_VERSION, KEY_MATERIAL);
  const deps = (): ProcessDeps => ({
    s3,
    sqs,
    policy,
    policyFingerprint: policyFingerprint(policy),
    targetBucket: TARGET,
    targetBucketOwner: OWNER,
    ingestBucketOwner: OWNER,
    kmsKeyArn: services.keyArn,
    managedKeyArn: async () => services.keyArn,
    customerKeys: { current: async () => key, version: async () => key },
    trail: createAuditTrail(dynamodb, TABLE),
    records: createObjectRecords(dynamodb, TABLE, queue.now),
    now: queue.now,
    limits: { partsAboveBytes: PARTS_ABOVE_BYTES, partBytes: PART_BYTES },
    requireVersioning: createVersioningCheck({ s3, policy, ingestBucketOwner: OWNER }),
    continuations: createContinuations(sqs, QUEUE_URL),
    deadLetters: createDeadLetters(sqs, DEAD_LETTER_URL),
    queueUrl: QUEUE_URL,
    maxReceiveCount: MAX_RECEIVES,
    metrics: keptMetrics(),
    log: keptLog(),
  });
  return { newFunction: () => createHandler(lazily(deps)), queue };
}
