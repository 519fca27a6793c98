/** Queues of mocked clients: messages are hidden when received, and nothing comes back by itself. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import type { Queue } from '../../../cli/dead-letters/queue.ts';
import { notification } from '../../fixtures/messages.ts';
import { INGEST_BUCKET } from '../../fixtures/objects.ts';

interface Held {
  message: Message;
  hidden: boolean;
}

export interface Letter {
  key: string;
  sequencer?: string;
  /** Of all objects; the first is `key`. */
  keys?: string[];
  bucket?: string;
  body?: string;
  /** `null`: SQS itself moved it. */
  code?: string | null;
  cause?: string;
  sentMs?: number;
  attributes?: Record<string, string>;
}

export function bodyOf({ key, keys = [key], sequencer = '0A', bucket = INGEST_BUCKET }: Letter): string {
  return JSON.stringify(notification(...keys.map((name) => ({ key: name, sequencer })))).replaceAll(INGEST_BUCKET, bucket);
}

export function fakeQueues() {
  const client = new SQSClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
  });
  const sqs = mockClient(client);
  const queues = new Map<string, Held[]>();
  /** `operation queue` of each call, in order. */
  const calls: string[] = [];
  let next = 0;

  const of = (url = '') => {
    const found = queues.get(url) ?? [];
    queues.set(url, found);
    return found;
  };
  const called = (operation: string, url = '') => {
    calls.push(`${operation} ${url}`);
    return of(url);
  };
  const put = (url: string, Body: string, attributes: Record<string, string> = {}, sentMs = Date.now()) => {
    next += 1;
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    );
    const message: Message = { MessageId: `id-${next}`, Body, MessageAttributes, Attributes: { SentTimestamp: String(sentMs) } };
    of(url).push({ message, hidden: false });
  };

  sqs.on(GetQueueAttributesCommand).callsFake(async ({ QueueUrl }) => {
    const held = called('count', QueueUrl);
    const hidden = held.filter((each) => each.hidden).length;
    return {
      Attributes: { ApproximateNumberOfMessages: String(held.length - hidden), ApproximateNumberOfMessagesNotVisible: String(hidden) },
    };
  });
  sqs.on(ReceiveMessageCommand).callsFake(async ({ QueueUrl, MaxNumberOfMessages }) => {
    const visible = called('receive', QueueUrl).filter(({ hidden }) => !hidden);
    const taken = visible.slice(0, MaxNumberOfMessages);
    for (const each of taken) each.hidden = true;
    return { Messages: taken.map(({ message }) => ({ ...message, ReceiptHandle: message.MessageId })) };
  });
  sqs.on(ChangeMessageVisibilityBatchCommand).callsFake(async ({ QueueUrl, Entries = [] }) => {
    const held = called('give back', QueueUrl);
    for (const { ReceiptHandle } of Entries) for (const each of held) if (each.message.MessageId === ReceiptHandle) each.hidden = false;
    return {};
  });
  sqs.on(DeleteMessageBatchCommand).callsFake(async ({ QueueUrl, Entries = [] }) => {
    const held = called('delete', QueueUrl);
    const handles = Entries.map(({ ReceiptHandle }: { ReceiptHandle: string }) => ReceiptHandle);
    queues.set(
      QueueUrl,
      held.filter(({ message }) => !handles.includes(message.MessageId)),
    );
    return {};
  });
  sqs.on(SendMessageBatchCommand).callsFake(async ({ QueueUrl, Entries = [] }) => {
    called('send', QueueUrl);
    for (const { MessageBody } of Entries) put(QueueUrl, MessageBody);
    return { Successful: Entries };
  });

  const queue = (url: string): Queue => ({ sqs: client, url });
  return {
    sqs,
    calls,
    deadLetters: queue('dead'),
    ingest: queue('ingest'),
    bury(letter: Letter) {
      const { key, code = 'kms-key-disabled', cause = `cause of ${code}`, body = bodyOf(letter), attributes = {} } = letter;
      put('dead', body, code === null ? attributes : { code, cause, bucket: 'ingest', key, ...attributes }, letter.sentMs);
    },
    bodies: (url: 'dead' | 'ingest') => of(url).map(({ message }) => message.Body ?? ''),
    hidden: () => of('dead').filter(({ hidden }) => hidden).length,
  };
}

/** An error as the SDK throws it. */
export function refusal(name: string, status = 400): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
}
