/** Messages to ourselves: a copy that takes longer than its function goes on in another. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type CopyProgress, continuationBody, type ObjectRef } from './events/index.ts';
import { translateAwsError } from './translate-aws-error.ts';

export interface Continuations {
  /** A fresh message, with all its deliveries before it. Throws SealdropError of a retryable kind, or `access-denied`. */
  send(ref: ObjectRef, upload: CopyProgress): Promise<void>;
}

export function createContinuations(sqs: SQSClient, queueUrl: string): Continuations {
  return {
    async send(ref, upload) {
      const send = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: continuationBody(ref, upload) });
      await sqs.send(send).catch((error: unknown) => {
        throw translateAwsError(error, {}, ref);
      });
    },
  };
}
