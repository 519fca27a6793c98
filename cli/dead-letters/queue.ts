/** Messages of a queue, ten at a time: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import { CannotLook } from '../cannot-look.ts';
import { errorMessage, errorName, isDenied } from '../sdk-error.ts';

export const MAX_BATCH = 10;
/** Of all bodies together: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_BATCH_BYTES = 1024 * 1024;
const PARALLEL_BATCHES = 8;
/** A long poll asks every server that may hold a message, and so does not miss one. */
const WAIT_SECONDS = 1;
/** More than 120,000 messages would be hidden: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const OVER_LIMIT = new Set(['OverLimit', 'AWS.SimpleQueueService.OverLimit']);

export interface Queue {
  sqs: SQSClient;
  url: string;
}

/** As SQS counts: approximately. */
export interface QueueCounts {
  visible: number;
  /** Somebody received them, and may still have them. */
  hidden: number;
}

/** @throws CannotLook */
export async function countMessages({ sqs, url }: Queue): Promise<QueueCounts> {
  const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
  const { Attributes = {} } = await asked(
    'sqs:GetQueueAttributes',
    url,
    sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames })),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}

/**
 * Hides up to ten messages, with their attributes and when they were sent.
 * @returns none: there is none that is visible; `null`: as many are hidden as SQS hides
 * @throws CannotLook
 */
export async function receive({ sqs, url }: Queue, hideSeconds: number): Promise<Message[] | null> {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: MAX_BATCH,
    VisibilityTimeout: hideSeconds,
    WaitTimeSeconds: WAIT_SECONDS,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['SentTimestamp'],
  });
  const answer = sqs.send(command).catch((cause: unknown) => {
    if (OVER_LIMIT.has(errorName(cause))) return null;
    throw cause;
  });
  const received = await asked('sqs:ReceiveMessage', url, answer);
  return received === null ? null : (received.Messages ?? []);
}

/** Makes messages visible at once. What cannot be given back comes back by itself, when the time ends for which it was hidden. */
export async function giveBack({ sqs, url }: Queue, handles: readonly string[]): Promise<void> {
  await pMap(
    batches(handles),
    async (batch) => {
      const Entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries })).catch(() => {});
    },
    { concurrency: PARALLEL_BATCHES },
  );
}

/**
 * @returns those that could not be deleted
 * @throws CannotLook
 */
export async function remove({ sqs, url }: Queue, handles: readonly string[]): Promise<string[]> {
  const left = await pMap(
    batches(handles),
    async (batch) => {
      const Entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      const answer = sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      const { Failed = [] } = await asked('sqs:DeleteMessage', url, answer);
      return batch.filter((_, index) => Failed.some(({ Id }) => Id === String(index)));
    },
    { concurrency: PARALLEL_BATCHES },
  );
  return left.flat();
}

/**
 * Sends bodies as they are, without attributes.
 * @returns for each whether the queue has it
 * @throws CannotLook: of one batch nothing was sent
 */
export async function send({ sqs, url }: Queue, bodies: readonly string[]): Promise<boolean[]> {
  const arrived: boolean[] = [];
  for (const batch of batchesByBytes(bodies)) {
    const Entries = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const { Successful = [] } = await asked('sqs:SendMessage', url, sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })));
    arrived.push(...batch.map((_, index) => Successful.some(({ Id }) => Id === String(index))));
  }
  return arrived;
}

async function asked<Answer>(action: string, url: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    const hopeless = CannotLook.because(cause);
    if (hopeless !== null) throw hopeless;
    if (isDenied(cause)) throw new CannotLook(`The queue ${url} may not be used: grant ${action} to whoever runs this.`, { cause });
    throw new CannotLook(`${action} failed at the queue ${url} (${errorName(cause)}: ${errorMessage(cause)}).`, { cause });
  }
}

function batches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MAX_BATCH) }, (_, index) => all.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH));
}

function batchesByBytes(bodies: readonly string[]): string[][] {
  const found: string[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    const last = found.at(-1);
    bytes += size;
    if (last === undefined || last.length === MAX_BATCH || bytes > MAX_BATCH_BYTES) {
      found.push([body]);
      bytes = size;
    } else last.push(body);
  }
  return found;
}
