/**
 * The shipped handlers in this process, with the clients that they make themselves, against the AWS that the environment names. What makes
 * and feeds them in Lambda is done by hand: buckets, queues, table, key and secret, and the loop from queue to function.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  PutBucketEncryptionCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { handler as download } from '../../../handlers/download.ts';
import { handler as encrypt } from '../../../handlers/encrypt.ts';
import { handler as history } from '../../../handlers/history.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import type { ContractStack } from '../../contract/mode-contract.ts';
import { apiEvent, invoke, invokeStreaming } from '../../fixtures/api.ts';
import { openStage, SSE_C_ALLOWED, type Stage } from '../stage.ts';

const POLICY = join(import.meta.dirname, '../../e2e/policy.yml');
/** One delivery: what fails is a dead letter at once, whatever its cause. */
const MAX_RECEIVE_COUNT = '1';
const MIB = 1024 * 1024;
const CONTEXT = { getRemainingTimeInMillis: () => 300_000 };

export interface EmulatedStack extends ContractStack {
  /** Receives and deletes what lies in the dead-letter queue. */
  takeDeadLetters(): Promise<Message[]>;
  stop(): Promise<void>;
}

/** Needs AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
export async function startEmulatedStack(): Promise<EmulatedStack> {
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const stage = openStage({ endpoint, region, credentials });
  const { ingest, deadLetters, environment } = await build(stage);
  // What the bundler and Lambda give; the handlers look at their first event.
  Reflect.set(globalThis, 'SEALDROP_POLICY', loadPolicy(readFileSync(POLICY, 'utf8')));
  Object.assign(process.env, environment);

  return {
    s3: stage.s3,
    secrets: stage.secrets,
    targetBucket: environment.TARGET_BUCKET,
    env: { SEALDROP_KMS_KEY_ARN: environment.KMS_KEY_ARN, SEALDROP_CUSTOMER_KEY_SECRET: environment.CUSTOMER_KEY_SECRET },
    async drop(key, body, more = {}) {
      const put = new PutObjectCommand({ Bucket: environment.INGEST_BUCKET, Key: key, Body: body, ...more });
      return { versionId: (await stage.s3.send(put)).VersionId };
    },
    settled: () => drain(stage, ingest),
    async get(key, { method = 'GET', headers: sent = {} } = {}) {
      const event = apiEvent({
        method,
        query: { key: [key] },
        headers: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])),
      });
      const { statusCode, headers, body } = await invokeStreaming(download, event);
      return new Response(method === 'HEAD' ? null : new Uint8Array(body), { status: statusCode ?? 500, headers });
    },
    async history(key) {
      const { body } = await invoke(history, apiEvent({ query: { key: [key] } }));
      return (body as { events: Record<string, unknown>[] }).events;
    },
    takeDeadLetters: () => take(stage, deadLetters.url, 1),
    stop: () => stage.close(),
  };
}

async function build(stage: Stage) {
  const account = await stage.account();
  const [deadLetters, ingest, INGEST_BUCKET, TARGET_BUCKET] = await Promise.all([
    stage.newQueue(),
    stage.newQueue({ VisibilityTimeout: '1800' }),
    stage.newBucket(),
    stage.newBucket(),
  ]);
  for (const Bucket of [INGEST_BUCKET, TARGET_BUCKET]) {
    await stage.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }
  await stage.s3.send(new PutBucketEncryptionCommand({ Bucket: TARGET_BUCKET, ServerSideEncryptionConfiguration: SSE_C_ALLOWED }));
  const statement = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: ingest.arn };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await stage.sqs.send(new SetQueueAttributesCommand({ QueueUrl: ingest.url, Attributes: { Policy } }));
  const QueueConfigurations = [{ QueueArn: ingest.arn, Events: ['s3:ObjectCreated:*' as const] }];
  await stage.s3.send(
    new PutBucketNotificationConfigurationCommand({ Bucket: INGEST_BUCKET, NotificationConfiguration: { QueueConfigurations } }),
  );
  const environment = {
    STACK_NAME: 'sealdrop-second-emulator',
    INGEST_BUCKET,
    TARGET_BUCKET,
    INGEST_BUCKET_OWNER: account,
    TARGET_BUCKET_OWNER: account,
    AUDIT_TABLE: await stage.table(),
    INGEST_QUEUE_URL: ingest.url,
    DEAD_LETTER_QUEUE_URL: deadLetters.url,
    MAX_RECEIVE_COUNT,
    PARTS_ABOVE_BYTES: String(256 * MIB),
    PART_BYTES: String(64 * MIB),
    REDIRECT_ABOVE_BYTES: String(190 * MIB),
    KMS_KEY_ARN: await stage.keyArn(),
    CUSTOMER_KEY_SECRET: await stage.newSecret(randomBytes(32).toString('hex')),
    WRAPPING_KEY_SECRET: await stage.newSecret(randomBytes(32).toString('hex')),
    // Encryptions and reads are told by their records, not by their logs.
    POWERTOOLS_LOG_LEVEL: 'SILENT',
  };
  return { ingest, deadLetters, environment };
}

/** What Lambda's event source mapping does, until the queue has nothing to give. */
async function drain(stage: Stage, { url: QueueUrl, arn }: { url: string; arn: string }): Promise<void> {
  for (;;) {
    const messages = await receive(stage, QueueUrl, 1);
    if (messages.length === 0) return;
    const { batchItemFailures } = await encrypt({ Records: messages.map((message) => sqsRecord(message, arn)) }, CONTEXT);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { MessageId = '', ReceiptHandle } of messages) {
      if (!failed.has(MessageId)) await stage.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
function sqsRecord({ MessageId, ReceiptHandle, Body, Attributes, MD5OfBody }: Message, eventSourceARN: string) {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes,
    messageAttributes: {},
    md5OfBody: MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: 'us-east-1',
  };
}

async function take(stage: Stage, QueueUrl: string, wait: number): Promise<Message[]> {
  const messages = await receive(stage, QueueUrl, wait);
  for (const { ReceiptHandle } of messages) await stage.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return messages;
}

async function receive(stage: Stage, QueueUrl: string, WaitTimeSeconds: number): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    WaitTimeSeconds,
    MaxNumberOfMessages: 10,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  });
  return (await stage.sqs.send(command)).Messages ?? [];
}
