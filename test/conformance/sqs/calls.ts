/** Calls of SQS that most expectations make. */
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { Stage } from '../stage.ts';

export async function attributes(stage: Stage, QueueUrl: string): Promise<Record<string, string>> {
  return (await stage.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
}

export const send = (stage: Stage, QueueUrl: string, MessageBody = 'body') =>
  stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

export async function receive(stage: Stage, QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, ...more });
  return (await stage.sqs.send(command)).Messages ?? [];
}

export function change(stage: Stage, QueueUrl: string, message: Message | undefined, VisibilityTimeout: number) {
  const command = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout });
  return stage.sqs.send(command);
}

export async function withDeadLetters(stage: Stage, maxReceiveCount: number) {
  const dead = await stage.newQueue();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  return { source: await stage.newQueue({ RedrivePolicy }), dead };
}
