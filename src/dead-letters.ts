/** Where messages go that no retry can heal, with their cause by name. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SealdropError } from './errors.ts';
import { translateAwsError } from './translate-aws-error.ts';

/** What SQS does not take in a text: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const NOT_ALLOWED = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** A message with its attributes has at most 1 MiB: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_BODY_BYTES = 1024 * 1024 - 64 * 1024;
const MAX_CAUSE_LENGTH = 8_000;

export interface DeadLetters {
  /**
   * Sends the original text with `code`, `cause`, `nextStep` and the object's name as message attributes, so that the
   * same message moved back to the ingest queue is tried again as it was. Throws SealdropError.
   */
  send(body: string, error: SealdropError): Promise<void>;
}

export function createDeadLetters(sqs: SQSClient, queueUrl: string): DeadLetters {
  return {
    async send(body, error) {
      const { code, message, nextStep, object } = error;
      const texts = {
        code,
        cause: message.slice(0, MAX_CAUSE_LENGTH),
        nextStep,
        bucket: object?.bucket,
        key: object?.key,
        versionId: object?.versionId,
      };
      const present = Object.entries(texts).filter((entry): entry is [string, string] => Boolean(entry[1]));
      // A text that fills a message leaves no room for its cause. No event of S3 comes near that.
      if (Buffer.byteLength(body) > MAX_BODY_BYTES) present.push(['shortenedFrom', `${Buffer.byteLength(body)} bytes`]);
      const MessageAttributes = Object.fromEntries(
        present.map(([name, text]) => [name, { DataType: 'String', StringValue: text.replace(NOT_ALLOWED, '\uFFFD') }]),
      );
      const send = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: shortened(body), MessageAttributes });
      await sqs.send(send).catch((cause: unknown) => {
        throw translateAwsError(cause, {}, object);
      });
    },
  };
}

function shortened(body: string): string {
  const bytes = Buffer.from(body);
  // A character that is cut in two becomes the replacement character.
  return bytes.byteLength > MAX_BODY_BYTES ? bytes.subarray(0, MAX_BODY_BYTES).toString() : body;
}
