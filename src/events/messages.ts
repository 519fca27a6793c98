/** Whatever brings events of S3 → messages that succeed or fail as a whole. */
import * as z from 'zod/mini';
import { asSealdropError, SealdropError } from '../errors.ts';
import { isContinuation } from './continuation.ts';
import { isEventBridgeEvent } from './eventbridge.ts';
import { isTestEvent } from './s3-notification.ts';
import { textOf } from './text.ts';

/** What a queue knows of a message beside its text. */
export interface QueueReceipt {
  messageId: string;
  receiptHandle: string;
  /** 1 at the first delivery. */
  receiveCount: number;
}

/** One thing that succeeds or fails as a whole. */
export interface EventMessage<Item> {
  /** The original text: what goes to the dead-letter queue, so that it can be sent again as it is. */
  body: string;
  /** `null` when the function was invoked without a queue. */
  receipt: QueueReceipt | null;
  content: { items: Item[] } | { error: SealdropError };
}

/** What a function makes of an event; `null`: it takes no notice of this one. Both throw `malformed-event`. */
export interface EventReaders<Item> {
  s3Record: (record: unknown) => Item | null;
  /** Left out where EventBridge sends nothing. */
  eventBridge?: (document: unknown) => Item | null;
  /** Left out where nothing is continued. */
  continuation?: (document: unknown) => Item;
}

const recordsSchema = z.object({ Records: z.array(z.unknown()) });
/** What a queue takes for a message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const QUEUE_TEXT = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;

const queueRecordSchema = z.object({
  eventSource: z.literal('aws:sqs'),
  messageId: z.string(),
  receiptHandle: z.string(),
  body: z.string().check(z.regex(QUEUE_TEXT)),
  attributes: z.optional(z.object({ ApproximateReceiveCount: z.optional(z.string()) })),
});
const topicRecordSchema = z.object({ EventSource: z.literal('aws:sns'), Sns: z.object({ Message: z.string() }) });
const topicEnvelopeSchema = z.object({ Type: z.literal('Notification'), TopicArn: z.string(), Message: z.string() });

/** Never throws: a message that cannot be understood carries its error (`malformed-event`). */
export function parseMessages<Item>(event: unknown, readers: EventReaders<Item>): EventMessage<Item>[] {
  return readMessages(event, (document) => parseDocument(document, readers));
}

/** The messages of a queue, or what came without one. Never throws. @param read throws `malformed-event` */
export function readMessages<Item>(event: unknown, read: (document: unknown) => Item[]): EventMessage<Item>[] {
  const records = recordsSchema.safeParse(event);
  if (records.success && records.data.Records.length === 0 && isNothingElse(event)) return [];
  const queued = records.success ? records.data.Records.map((record) => ({ record, parsed: queueRecordSchema.safeParse(record) })) : [];
  if (!queued.some(({ parsed }) => parsed.success)) return [withoutQueue(event, read)];
  return queued.map(({ record, parsed }) => {
    if (!parsed.success) return withoutQueue(record, read);
    const { messageId, receiptHandle, body, attributes } = parsed.data;
    const content = contentOf(() => read(parseJson(body)));
    return { body, receipt: { messageId, receiptHandle, receiveCount: countOf(attributes?.ApproximateReceiveCount) }, content };
  });
}

function isNothingElse(event: unknown): boolean {
  return Object.keys(Object(event)).length === 1;
}

function withoutQueue<Item>(event: unknown, read: (document: unknown) => Item[]): EventMessage<Item> {
  return { body: textOf(event), receipt: null, content: contentOf(() => read(event)) };
}

/** What is no count is taken for the first delivery: the queue itself gives up in the end. */
function countOf(text = '1'): number {
  const count = Number(text);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}

function contentOf<Item>(parse: () => Item[]): EventMessage<Item>['content'] {
  try {
    return { items: parse() };
  } catch (error) {
    return { error: asSealdropError(error) };
  }
}

function parseDocument<Item>(document: unknown, readers: EventReaders<Item>): Item[] {
  const wrapped = topicEnvelopeSchema.safeParse(document);
  const records = recordsSchema.safeParse(document);
  const kinds = [isTestEvent(document), isEventBridgeEvent(document), isContinuation(document), wrapped.success, records.success];
  if (kinds.filter(Boolean).length > 1) throw new SealdropError('malformed-event', 'several kinds of event in one');

  if (isTestEvent(document)) return [];
  if (readers.eventBridge !== undefined && isEventBridgeEvent(document)) return present([readers.eventBridge(document)]);
  if (readers.continuation !== undefined && isContinuation(document)) return [readers.continuation(document)];
  if (wrapped.success) return parseDocument(parseJson(wrapped.data.Message), readers);
  if (!records.success || records.data.Records.length === 0) {
    const accepted = [
      'neither an S3 notification',
      'nor one wrapped by SNS',
      ...(readers.eventBridge ? ['nor an EventBridge event of S3'] : []),
    ];
    throw new SealdropError('malformed-event', accepted.join(', '));
  }
  return records.data.Records.flatMap((record) => {
    const topic = topicRecordSchema.safeParse(record);
    return topic.success ? parseDocument(parseJson(topic.data.Sns.Message), readers) : present([readers.s3Record(record)]);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SealdropError('malformed-event', 'the message is not JSON', { cause: error });
  }
}

function present<Item>(items: (Item | null)[]): Item[] {
  return items.filter((item) => item !== null);
}
