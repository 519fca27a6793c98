/** How far the pipeline is, as its queues tell. */
import { setTimeout as delay } from 'node:timers/promises';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';

const LOOK_EVERY_MS = 50;
const COUNTS = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;

/** Messages that wait or are being worked on. */
export async function messagesIn(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] }));
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/**
 * Resolves when the queue is empty and nothing is being worked on.
 * @param update called with what is left, at every look
 * @throws when nothing moves for longer than `patienceMs`
 */
export async function drained(
  { sqs, queueUrl }: { sqs: SQSClient; queueUrl: string },
  update: (left: number) => void = () => {},
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  let moved = Date.now();
  for (;;) {
    const left = await messagesIn(sqs, queueUrl);
    update(left);
    if (left === 0) return;
    if (left < least) [least, moved] = [left, Date.now()];
    if (Date.now() - moved > patienceMs) throw new Error(`${left} messages in the ingest queue have not moved for ${patienceMs / 1000} s`);
    await delay(LOOK_EVERY_MS);
  }
}
