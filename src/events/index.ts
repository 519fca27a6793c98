/** Any accepted event → object refs. Pure. */
import * as z from 'zod/mini';
import { asSealdropError, SealdropError } from '../errors.ts';
import { isEventBridgeEvent, parseEventBridge } from './eventbridge.ts';
import type { ObjectRef } from './object-ref.ts';
import { isTestEvent, parseS3Record } from './s3-notification.ts';

export { compareSequencers, decodeFormKey, type ObjectRef } from './object-ref.ts';

/** What a queue knows of a message beside its text. */
export interface QueueReceipt {
  messageId: string;
  receiptHandle: string;
  /** 1 at the first delivery. */
  receiveCount: number;
}

/** One thing that succeeds or fails as a whole. */
export interface IngestMessage {
  /** The original text: what goes to the dead-letter queue, so that it can be sent again as it is. */
  body: string;
  /** `null` when the function was invoked without a queue. */
  receipt: QueueReceipt | null;
  content: { refs: ObjectRef[] } | { error: SealdropError };
}

const recordsSchema = z.object({ Records: z.array(z.unknown()) });
const queueRecordSchema = z.object({
  eventSource: z.literal('aws:sqs'),
  messageId: z.string(),
  receiptHandle: z.string(),
  body: z.string(),
  attributes: z.optional(z.object({ ApproximateReceiveCount: z.optional(z.string()) })),
});
const topicRecordSchema = z.object({ EventSource: z.literal('aws:sns'), Sns: z.object({ Message: z.string() }) });
const topicEnvelopeSchema = z.object({ Type: z.literal('Notification'), TopicArn: z.string(), Message: z.string() });

/**
 * Takes S3 notifications in SQS, straight from S3, wrapped by SNS, and EventBridge's "Object Created", each of them
 * also inside SQS. Never throws: a message that cannot be understood carries its error (`malformed-event`).
 */
export function parseIngestEvent(event: unknown): IngestMessage[] {
  const records = recordsSchema.safeParse(event);
  if (records.success && records.data.Records.length === 0) return [];
  if (records.success && records.data.Records.every((record) => queueRecordSchema.safeParse(record).success)) {
    return records.data.Records.map((record) => {
      const { messageId, receiptHandle, body, attributes } = queueRecordSchema.parse(record);
      const receiveCount = Number(attributes?.ApproximateReceiveCount ?? 1);
      return { body, receipt: { messageId, receiptHandle, receiveCount }, content: read(() => parseDocument(parseJson(body))) };
    });
  }
  return [{ body: JSON.stringify(event) ?? '', receipt: null, content: read(() => parseDocument(event)) }];
}

function read(parse: () => ObjectRef[]): IngestMessage['content'] {
  try {
    return { refs: parse() };
  } catch (error) {
    return { error: asSealdropError(error) };
  }
}

function parseDocument(document: unknown): ObjectRef[] {
  if (isTestEvent(document)) return [];
  if (isEventBridgeEvent(document)) return present([parseEventBridge(document)]);
  const wrapped = topicEnvelopeSchema.safeParse(document);
  if (wrapped.success) return parseDocument(parseJson(wrapped.data.Message));
  const records = recordsSchema.safeParse(document);
  if (!records.success || records.data.Records.length === 0) {
    throw new SealdropError('malformed-event', 'neither an S3 notification, nor one wrapped by SNS, nor an EventBridge event of S3');
  }
  return records.data.Records.flatMap((record) => {
    const topic = topicRecordSchema.safeParse(record);
    return topic.success ? parseDocument(parseJson(topic.data.Sns.Message)) : present([parseS3Record(record)]);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SealdropError('malformed-event', 'the message is not JSON', { cause: error });
  }
}

function present(refs: (ObjectRef | null)[]): ObjectRef[] {
  return refs.filter((ref) => ref !== null);
}
