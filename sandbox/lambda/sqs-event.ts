/** SQS messages as Lambda hands them to a function (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). */
import { REGION } from '../account.ts';
import type { QueueMessage } from '../service.ts';

/** What became of a batch: the ids of the messages to delete. */
export type Verdict = { done: string[] };

/** The event of a batch, as JSON text. */
export function createSqsEvent(queueArn: string, messages: readonly QueueMessage[]): string {
  return JSON.stringify({ Records: messages.map((message) => createRecord(queueArn, message)) });
}

/**
 * Which messages are done, by the rules of `ReportBatchItemFailures`: an empty or absent answer means all; a list names
 * the failed; anything else, such as an id that is not of this batch, means none.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function judgeBatch(messageIds: readonly string[], payload: string): Verdict {
  const none: Verdict = { done: [] };
  const all: Verdict = { done: [...messageIds] };
  let answer: unknown;
  try {
    answer = payload.trim() === '' ? null : JSON.parse(payload);
  } catch {
    return none;
  }
  if (answer === null) return all;
  if (typeof answer !== 'object' || Array.isArray(answer)) return none;
  if (!('batchItemFailures' in answer)) return Object.keys(answer).length === 0 ? all : none;
  const failures = answer.batchItemFailures;
  if (failures === null) return all;
  if (!Array.isArray(failures)) return none;
  const failed = new Set(failures.map(identifier));
  return [...failed].every((id) => id !== null && messageIds.includes(id)) ? { done: messageIds.filter((id) => !failed.has(id)) } : none;
}

function identifier(failure: unknown): string | null {
  if (typeof failure !== 'object' || failure === null || !('itemIdentifier' in failure)) return null;
  return typeof failure.itemIdentifier === 'string' && failure.itemIdentifier !== '' ? failure.itemIdentifier : null;
}

function createRecord(queueArn: string, message: QueueMessage): Record<string, unknown> {
  const attributes = Object.entries(message.messageAttributes).map(([name, value]) => [
    name,
    {
      ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
      ...(value.BinaryValue === undefined ? {} : { binaryValue: value.BinaryValue }),
      stringListValues: [],
      binaryListValues: [],
      dataType: value.DataType,
    },
  ]);
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: message.attributes,
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: REGION,
  };
}
