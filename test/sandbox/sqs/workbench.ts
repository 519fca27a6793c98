/** SQS on a server of its own for one test file. */
import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

export const arnOf = (QueueUrl: string) => `arn:aws:sqs:us-east-1:000000000000:${QueueUrl.split('/').at(-1)}`;

/** Registers the hooks; `open` is filled before the first test. */
export function sqsWorkbench() {
  const open = {} as { sandbox: SandboxServer; service: Sqs; sqs: SQSClient };
  beforeAll(async () => {
    open.sandbox = await startSandbox((state) => {
      open.service = openSqs(state);
      return { services: { sqs: open.service }, close: async () => open.service.close() };
    });
    open.sqs = new SQSClient(open.sandbox.client);
  });
  afterEach(() => {
    vi.useRealTimers();
    expect(open.sandbox.defects).toEqual([]);
  });
  afterAll(async () => {
    open.sqs.destroy();
    await open.sandbox.close();
  });

  async function createQueue(Attributes: Record<string, string> = {}): Promise<string> {
    const { QueueUrl = '' } = await open.sqs.send(new CreateQueueCommand({ QueueName: randomUUID(), Attributes }));
    return QueueUrl;
  }

  const send = (QueueUrl: string, MessageBody: string) => open.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

  async function receive(QueueUrl: string, options: { max?: number; visibility?: number; wait?: number } = {}): Promise<Message[]> {
    const answer = await open.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: options.max ?? 10,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        ...(options.visibility === undefined ? {} : { VisibilityTimeout: options.visibility }),
        ...(options.wait === undefined ? {} : { WaitTimeSeconds: options.wait }),
      }),
    );
    return answer.Messages ?? [];
  }

  async function attributeOf(QueueUrl: string, name: 'VisibilityTimeout' | 'RedrivePolicy' | 'Policy'): Promise<string | undefined> {
    const { Attributes } = await open.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
    return Attributes?.[name];
  }

  async function counts(QueueUrl: string): Promise<(string | undefined)[]> {
    const { Attributes = {} } = await open.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    return [
      Attributes.ApproximateNumberOfMessages,
      Attributes.ApproximateNumberOfMessagesNotVisible,
      Attributes.ApproximateNumberOfMessagesDelayed,
    ];
  }

  return { open, createQueue, send, receive, attributeOf, counts };
}
