/** Messages, alone and in batches. */
import { createHash } from 'node:crypto';
import { DeleteMessageBatchCommand, DeleteMessageCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { has, holds, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { receive, send } from './calls.ts';

const SEND = ['sqs-api', 'API_SendMessage'] as const;
const BATCH = ['sqs-api', 'API_SendMessageBatch'] as const;
const RECEIVE = ['sqs-api', 'API_ReceiveMessage'] as const;

export const MESSAGES: Expectation[] = [
  expectation('sqs.message.roundtrip', 'a message comes as it was sent, with MD5s that the SDK verifies', SEND, async (stage) => {
    const { url } = await stage.newQueue();
    const MessageAttributes = { code: { DataType: 'String', StringValue: 'key-disabled' }, size: { DataType: 'Number', StringValue: '7' } };
    const sent = await stage.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'Körper', MessageAttributes }));
    same('the MD5 in the answer', sent.MD5OfMessageBody, createHash('md5').update('Körper').digest('hex'));
    const [message] = await receive(stage, url, { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
    has('the message', message ?? {}, { Body: 'Körper', MessageId: sent.MessageId, MD5OfMessageAttributes: sent.MD5OfMessageAttributes });
    same('its attribute', message?.MessageAttributes?.code?.StringValue, 'key-disabled');
    same('its count', message?.Attributes?.ApproximateReceiveCount, '1');
    matches('its time', message?.Attributes?.SentTimestamp, /^\d{13}$/);
  }),
  expectation('sqs.message.attributes-when-asked', 'message attributes come only when asked for', RECEIVE, async (stage) => {
    const { url } = await stage.newQueue();
    const MessageAttributes = { code: { DataType: 'String', StringValue: 'x' } };
    await stage.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x', MessageAttributes }));
    const [message] = await receive(stage, url);
    has('the message', message ?? {}, { MessageAttributes: undefined, Attributes: undefined });
  }),
  expectation('sqs.message.characters', 'a character that XML does not allow is InvalidMessageContents', SEND, async (stage) => {
    const { url } = await stage.newQueue();
    await refused(send(stage, url, 'a\u0001b'), '400 InvalidMessageContents');
  }),
  expectation('sqs.message.empty', 'an empty body is refused', SEND, async (stage) => {
    const { url } = await stage.newQueue();
    await refused(send(stage, url, ''), '400 MissingParameter', '400 InvalidParameterValue');
  }),
  expectation('sqs.message.delay', 'a delayed message is not there at once', ['sqs-guide', 'sqs-message-timers'], async (stage) => {
    const { url } = await stage.newQueue();
    await stage.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'late', DelaySeconds: 2 }));
    same('at once', (await receive(stage, url, { WaitTimeSeconds: 0 })).length, 0);
    same('later', (await receive(stage, url, { WaitTimeSeconds: 10 })).length, 1);
  }),
  expectation(
    'sqs.receive.long-poll',
    'a long poll ends when a message comes',
    ['sqs-guide', 'sqs-short-and-long-polling'],
    async (stage) => {
      const { url } = await stage.newQueue();
      const started = Date.now();
      const waiting = receive(stage, url, { WaitTimeSeconds: 15 });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await send(stage, url);
      same('the messages', (await waiting).length, 1);
      holds('it did not wait to its end', Date.now() - started < 12_000);
    },
  ),
  expectation('sqs.receive.most', 'a receive asks for 1 to 10 messages', RECEIVE, async (stage) => {
    const { url } = await stage.newQueue();
    for (const MaxNumberOfMessages of [0, 11]) await refused(receive(stage, url, { MaxNumberOfMessages }), '400 InvalidParameterValue');
  }),
  expectation('sqs.delete.done', 'a deleted message does not come back', ['sqs-api', 'API_DeleteMessage'], async (stage) => {
    const { url } = await stage.newQueue();
    await send(stage, url);
    const [message] = await receive(stage, url, { VisibilityTimeout: 1 });
    await stage.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
    same('what comes', (await receive(stage, url, { WaitTimeSeconds: 2 })).length, 0);
  }),
  expectation(
    'sqs.delete.wrong-handle',
    'what is no receipt handle is ReceiptHandleIsInvalid',
    ['sqs-api', 'API_DeleteMessage'],
    async (stage) => {
      const { url } = await stage.newQueue();
      const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: 'no handle' });
      await refused(stage.sqs.send(command), '404 ReceiptHandleIsInvalid', '400 ReceiptHandleIsInvalid');
    },
  ),
  expectation('sqs.delete.batch', 'a batch deletes each message on its own', ['sqs-api', 'API_DeleteMessageBatch'], async (stage) => {
    const { url } = await stage.newQueue();
    await send(stage, url);
    const [message] = await receive(stage, url);
    const Entries = [
      { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
      { Id: 'bad', ReceiptHandle: 'no handle' },
    ];
    const answer = await stage.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
    same(
      'the successful',
      answer.Successful?.map(({ Id }) => Id),
      ['good'],
    );
    same(
      'the failed',
      answer.Failed?.map(({ Id }) => Id),
      ['bad'],
    );
  }),
  expectation('sqs.batch.sends', 'a batch sends up to ten messages', BATCH, async (stage) => {
    const { url } = await stage.newQueue();
    const entries = (count: number) => Array.from({ length: count }, (_, index) => ({ Id: `${index}`, MessageBody: `${index}` }));
    const { Successful } = await stage.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries(10) }));
    same('the successful', Successful?.length, 10);
    const eleven = new SendMessageBatchCommand({ QueueUrl: url, Entries: entries(11) });
    await refused(stage.sqs.send(eleven), '400 TooManyEntriesInBatchRequest');
  }),
  expectation('sqs.batch.refused', 'a batch without entries, or with an id twice, is refused', BATCH, async (stage) => {
    const { url } = await stage.newQueue();
    await refused(stage.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [] })), '400 EmptyBatchRequest');
    const Entries = [
      { Id: 'a', MessageBody: '1' },
      { Id: 'a', MessageBody: '2' },
    ];
    await refused(stage.sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })), '400 BatchEntryIdsNotDistinct');
  }),
];
