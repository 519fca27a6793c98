/** Messages to ourselves: a copy that takes longer than its function goes on in another, one that waits is looked at again. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type CopyProgress, continuationBody, type ObjectRef } from './events/index.ts';
import { translateAwsError } from './translate-aws-error.ts';

/** The longest that a message can be held back: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const MAX_DELAY_SECONDS = 900;

/** Both send a fresh message, with all its deliveries before it. They throw SealdropError of a retryable kind, or `access-denied`. */
export interface Continuations {
  goOn(ref: ObjectRef, upload: CopyProgress): Promise<void>;
  /** It comes in a quarter of an hour. */
  postpone(ref: ObjectRef): Promise<void>;
  /** A source that was copied once and is not in its place any more. */
  again(ref: ObjectRef): Promise<void>;
}

export function createContinuations(sqs: SQSClient, queueUrl: string): Continuations {
  async function send(ref: ObjectRef, MessageBody: string, delay: { DelaySeconds?: number }): Promise<void> {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, ...delay })).catch((error: unknown) => {
      throw translateAwsError(error, {}, ref);
    });
  }
  return {
    goOn: (ref, upload) => send(ref, continuationBody(ref, upload), {}),
    again: (ref) => send(ref, continuationBody(ref), {}),
    postpone: (ref) => send(ref, continuationBody(ref), { DelaySeconds: MAX_DELAY_SECONDS }),
  };
}
