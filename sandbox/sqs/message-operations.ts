/** Operations on messages, one at a time or up to ten in a batch. */
import { z } from 'zod';
import { type JsonOperation, type OperationContext, operation } from '../wire/json-service.ts';
import type { Arrivals } from './arrivals.ts';
import { numberOf } from './attributes.ts';
import { eachEntry } from './batch.ts';
import { batchError, invalidMessageContents, invalidParameter, unsupported } from './errors.ts';
import { md5OfAttributes, messageAttributes, parseMessageAttributes, selectAttributes, sizeOfAttributes } from './message-attributes.ts';
import { MAX_VISIBILITY_SECONDS, type MessageStore, md5, type ReceivedMessage } from './message-store.ts';
import { askQueueAt } from './queue-access.ts';
import type { Queue, QueueStore } from './queue-store.ts';

export type MessageOperation =
  | 'SendMessage'
  | 'SendMessageBatch'
  | 'ReceiveMessage'
  | 'DeleteMessage'
  | 'DeleteMessageBatch'
  | 'ChangeMessageVisibility'
  | 'ChangeMessageVisibilityBatch';

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_RECEIVED = 10;
const MAX_BATCH_BYTES = 1_048_576;
/** What XML 1.0 cannot carry, SQS does not take, whatever the protocol. */
const FORBIDDEN_CHARACTER = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

const url = z.string();
const message = {
  MessageBody: z.string(),
  DelaySeconds: z.int().optional(),
  MessageAttributes: messageAttributes.default({}),
  MessageDeduplicationId: z.string().optional(),
  MessageGroupId: z.string().optional(),
};
const sendInput = z.strictObject({ QueueUrl: url, ...message });
const batchOf = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject({ QueueUrl: url, Entries: z.array(z.strictObject({ Id: z.string(), ...shape })) });

export function messageOperations(queues: QueueStore, messages: MessageStore, arrivals: Arrivals): Record<MessageOperation, JsonOperation> {
  const ask = ({ QueueUrl }: { QueueUrl: string }) => [askQueueAt(queues, QueueUrl)];

  function send(queue: Queue, input: Omit<z.output<typeof sendInput>, 'QueueUrl'>, { principal }: OperationContext) {
    const attributes = parseMessageAttributes(input.MessageAttributes);
    assertMessage(queue, input);
    const delaySeconds = input.DelaySeconds ?? numberOf(queue.attributes, 'DelaySeconds');
    const MessageId = messages.send(queue, { body: input.MessageBody, attributes, senderId: principal.userId, delaySeconds });
    arrivals.notify(queue.name);
    const digest = md5OfAttributes(attributes);
    return { MessageId, MD5OfMessageBody: md5(input.MessageBody), ...(digest === null ? {} : { MD5OfMessageAttributes: digest }) };
  }

  function changeVisibility(queue: Queue, receiptHandle: string, seconds: number): void {
    assertRange('VisibilityTimeout', seconds, 0, MAX_VISIBILITY_SECONDS);
    messages.changeVisibility(queue, receiptHandle, seconds);
    if (seconds === 0) arrivals.notify(queue.name);
    else arrivals.rearm(queue.name);
  }

  return {
    SendMessage: operation(
      'sqs:SendMessage',
      sendInput,
      (input, context) => send(queues.requireByUrl(input.QueueUrl), input, context),
      ask,
    ),
    SendMessageBatch: operation(
      'sqs:SendMessage',
      batchOf(message),
      (input, context) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        const bytes = input.Entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
        if (bytes > MAX_BATCH_BYTES) {
          throw batchError(
            'BatchRequestTooLong',
            `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
          );
        }
        return eachEntry('SendMessageBatchRequestEntry', input.Entries, (entry) => send(queue, entry, context));
      },
      ask,
    ),
    ReceiveMessage: operation(
      'sqs:ReceiveMessage',
      z.strictObject({
        QueueUrl: url,
        AttributeNames: z.array(z.string()).default([]),
        MessageSystemAttributeNames: z.array(z.string()).default([]),
        MessageAttributeNames: z.array(z.string()).default([]),
        MaxNumberOfMessages: z.int().default(1),
        VisibilityTimeout: z.int().optional(),
        WaitTimeSeconds: z.int().optional(),
      }),
      async (input, { signal }) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        assertRange('MaxNumberOfMessages', input.MaxNumberOfMessages, 1, MAX_RECEIVED, ', if provided');
        const visibility = input.VisibilityTimeout ?? numberOf(queue.attributes, 'VisibilityTimeout');
        assertRange('VisibilityTimeout', visibility, 0, MAX_VISIBILITY_SECONDS, ', if provided');
        const wait = input.WaitTimeSeconds ?? numberOf(queue.attributes, 'ReceiveMessageWaitTimeSeconds');
        assertRange('WaitTimeSeconds', wait, 0, 20, ', if provided');
        const take = () => receiveNow(queue, input.MaxNumberOfMessages, visibility, messages, arrivals);
        const received = await waitFor(take, wait * 1000, signal, (listener) => arrivals.subscribe(queue.name, listener));
        if (received.length === 0) return {};
        const systemNames = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
        return { Messages: received.map((each) => wireMessage(each, systemNames, input.MessageAttributeNames)) };
      },
      ask,
    ),
    DeleteMessage: operation(
      'sqs:DeleteMessage',
      z.strictObject({ QueueUrl: url, ReceiptHandle: z.string() }),
      (input) => {
        messages.delete(queues.requireByUrl(input.QueueUrl), input.ReceiptHandle);
        return {};
      },
      ask,
    ),
    DeleteMessageBatch: operation(
      'sqs:DeleteMessage',
      batchOf({ ReceiptHandle: z.string() }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        return eachEntry('DeleteMessageBatchRequestEntry', input.Entries, (entry) => {
          messages.delete(queue, entry.ReceiptHandle);
          return {};
        });
      },
      ask,
    ),
    ChangeMessageVisibility: operation(
      'sqs:ChangeMessageVisibility',
      z.strictObject({ QueueUrl: url, ReceiptHandle: z.string(), VisibilityTimeout: z.int() }),
      (input) => {
        changeVisibility(queues.requireByUrl(input.QueueUrl), input.ReceiptHandle, input.VisibilityTimeout);
        return {};
      },
      ask,
    ),
    ChangeMessageVisibilityBatch: operation(
      'sqs:ChangeMessageVisibility',
      batchOf({ ReceiptHandle: z.string(), VisibilityTimeout: z.int() }),
      (input) => {
        const queue = queues.requireByUrl(input.QueueUrl);
        return eachEntry('ChangeMessageVisibilityBatchRequestEntry', input.Entries, (entry) => {
          changeVisibility(queue, entry.ReceiptHandle, entry.VisibilityTimeout);
          return {};
        });
      },
      ask,
    ),
  };
}

/** System attributes of a received message, as SQS names them. */
export function systemAttributesOf(message: ReceivedMessage): Record<string, string> {
  return {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceiveMs),
    ...(message.sourceArn === null ? {} : { DeadLetterQueueSourceArn: message.sourceArn }),
  };
}

/** Receives without waiting, and lets those know that its redrive and its timeouts concern. */
export function receiveNow(
  queue: Queue,
  max: number,
  visibilitySeconds: number,
  messages: MessageStore,
  arrivals: Arrivals,
): ReceivedMessage[] {
  const { messages: received, redrivenTo } = messages.receive(queue, max, visibilitySeconds);
  if (redrivenTo) arrivals.notify(redrivenTo.name);
  if (received.length > 0) arrivals.rearm(queue.name);
  return received;
}

/** Tries now and whenever something arrives, until there are messages, the time is over or the client is gone. */
function waitFor(
  take: () => ReceivedMessage[],
  waitMs: number,
  signal: AbortSignal,
  subscribe: (listener: () => void) => () => void,
): Promise<ReceivedMessage[]> | ReceivedMessage[] {
  const first = take();
  if (first.length > 0 || waitMs === 0) return first;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle([]), waitMs);
    const onAbort = () => settle([]);
    const unsubscribe = subscribe(() => {
      try {
        const received = take();
        if (received.length > 0) settle(received);
      } catch (error) {
        settle([]);
        reject(error);
      }
    });
    signal.addEventListener('abort', onAbort);
    function settle(received: ReceivedMessage[]): void {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
      resolve(received);
    }
  });
}

function wireMessage(message: ReceivedMessage, systemNames: string[], attributeNames: string[]) {
  const system = Object.entries(systemAttributesOf(message)).filter(([name]) => systemNames.includes('All') || systemNames.includes(name));
  const attributes = selectAttributes(message.attributes, attributeNames);
  const digest = md5OfAttributes(attributes);
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
    ...(digest === null ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: digest }),
  };
}

function assertMessage(queue: Queue, input: Omit<z.output<typeof sendInput>, 'QueueUrl'>): void {
  if (input.MessageDeduplicationId !== undefined) throw unsupported('The sandbox has standard queues only, no FIFO queues.');
  if (input.MessageGroupId !== undefined) throw unsupported('The sandbox does not implement fair queues (MessageGroupId).');
  if (input.MessageBody === '')
    throw invalidParameter('One or more parameters are invalid. Reason: Message must be at least one character.');
  if (FORBIDDEN_CHARACTER.test(input.MessageBody)) {
    throw invalidMessageContents(
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
    );
  }
  const limit = numberOf(queue.attributes, 'MaximumMessageSize');
  if (sizeOf(input) > limit)
    throw invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  if (input.DelaySeconds !== undefined) assertRange('DelaySeconds', input.DelaySeconds, 0, 900);
}

function sizeOf(input: { MessageBody: string; MessageAttributes: z.output<typeof messageAttributes> }): number {
  return Buffer.byteLength(input.MessageBody) + sizeOfAttributes(input.MessageAttributes);
}

function assertRange(name: string, value: number, min: number, max: number, suffix = ''): void {
  if (value >= min && value <= max) return;
  throw invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}${suffix}.`);
}
