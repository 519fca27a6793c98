/** What is expected of SQS. */
import { createHash } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { has, holds, matches, refused, same } from './difference.ts';
import { type Expectation, expectation } from './expectation.ts';
import type { Stage } from './stage.ts';

const SEND = ['sqs-api', 'API_SendMessage'] as const;
const BATCH = ['sqs-api', 'API_SendMessageBatch'] as const;
const RECEIVE = ['sqs-api', 'API_ReceiveMessage'] as const;
const CREATE = ['sqs-api', 'API_CreateQueue'] as const;
const VISIBILITY = ['sqs-guide', 'sqs-visibility-timeout'] as const;
const DEAD_LETTERS = ['sqs-guide', 'sqs-dead-letter-queues'] as const;
const MOVES = ['sqs-api', 'API_StartMessageMoveTask'] as const;

export const SQS: Expectation[] = [
  expectation('sqs.queue.defaults', 'a new queue has the documented attributes', CREATE, async (stage) => {
    const { url, arn } = await stage.newQueue();
    has('the queue', await attributes(stage, url), {
      QueueArn: arn,
      VisibilityTimeout: '30',
      DelaySeconds: '0',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: 'true',
      ApproximateNumberOfMessages: '0',
    });
  }),
  expectation('sqs.queue.message-size', 'a new queue takes messages of up to 1 MiB', ['sqs-guide', 'quotas-messages'], async (stage) => {
    const { url } = await stage.newQueue();
    same('MaximumMessageSize', (await attributes(stage, url)).MaximumMessageSize, '1048576');
    await send(stage, url, 'x'.repeat(1_048_576));
    await refused(send(stage, url, 'x'.repeat(1_048_577)), '400 InvalidParameterValue');
  }),
  expectation('sqs.queue.again', 'creating a queue again is the same queue; with other attributes it is refused', CREATE, async (stage) => {
    const { url } = await stage.newQueue({ VisibilityTimeout: '60' });
    const QueueName = url.split('/').at(-1);
    const again = (VisibilityTimeout: string) => stage.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout } }));
    same('its URL', (await again('60')).QueueUrl, url);
    await refused(again('61'), '400 QueueNameExists');
  }),
  expectation('sqs.queue.missing', 'a queue that is not there is QueueDoesNotExist', ['sqs-api', 'API_GetQueueUrl'], async (stage) => {
    const { url } = await stage.newQueue();
    const QueueName = url.split('/').at(-1);
    same('its URL by name', (await stage.sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl, url);
    await refused(stage.sqs.send(new GetQueueUrlCommand({ QueueName: stage.unique('missing') })), '400 QueueDoesNotExist');
    await refused(send(stage, `${url}-missing`), '400 QueueDoesNotExist');
  }),
  expectation(
    'sqs.queue.attributes',
    'attributes are set and read; unknown ones are refused',
    ['sqs-api', 'API_SetQueueAttributes'],
    async (stage) => {
      const { url } = await stage.newQueue();
      await stage.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '1800' } }));
      same('VisibilityTimeout', (await attributes(stage, url)).VisibilityTimeout, '1800');
      const unknown = new SetQueueAttributesCommand({ QueueUrl: url, Attributes: JSON.parse('{"Surprise":"1"}') as object });
      await refused(stage.sqs.send(unknown), '400 InvalidAttributeName');
      const tooLong = new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '43201' } });
      await refused(stage.sqs.send(tooLong), '400 InvalidAttributeValue');
    },
  ),
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
  expectation('sqs.visibility.hides', 'a received message is hidden, and comes back with a higher count', VISIBILITY, async (stage) => {
    const { url } = await stage.newQueue();
    await send(stage, url);
    const [first] = await receive(stage, url, { VisibilityTimeout: 2 });
    same('meanwhile', (await receive(stage, url, { WaitTimeSeconds: 0 })).length, 0);
    same('in flight', (await attributes(stage, url)).ApproximateNumberOfMessagesNotVisible, '1');
    const [again] = await receive(stage, url, { WaitTimeSeconds: 10, MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    same('the message', again?.MessageId, first?.MessageId);
    same('its count', again?.Attributes?.ApproximateReceiveCount, '2');
    holds('its receipt is another', again?.ReceiptHandle !== first?.ReceiptHandle);
  }),
  expectation(
    'sqs.visibility.zero',
    'a visibility of 0 brings a message back at once',
    ['sqs-api', 'API_ChangeMessageVisibility'],
    async (stage) => {
      const { url } = await stage.newQueue();
      await send(stage, url);
      const [message] = await receive(stage, url);
      await change(stage, url, message, 0);
      same('the messages', (await receive(stage, url)).length, 1);
    },
  ),
  expectation(
    'sqs.visibility.longest',
    'a visibility of more than 12 hours is refused with InvalidParameterValue',
    ['sqs-api', 'API_ChangeMessageVisibility'],
    async (stage) => {
      const { url } = await stage.newQueue();
      await send(stage, url);
      const [message] = await receive(stage, url);
      await refused(change(stage, url, message, 43_201), '400 InvalidParameterValue');
    },
  ),
  expectation(
    'sqs.visibility.not-in-flight',
    'a message that is not in flight is MessageNotInflight',
    ['sqs-api', 'API_ChangeMessageVisibility'],
    async (stage) => {
      const { url } = await stage.newQueue();
      await send(stage, url);
      const [message] = await receive(stage, url);
      await change(stage, url, message, 0);
      await refused(change(stage, url, message, 60), '400 MessageNotInflight');
    },
  ),
  expectation(
    'sqs.visibility.batch',
    'a batch changes each message on its own',
    ['sqs-api', 'API_ChangeMessageVisibilityBatch'],
    async (stage) => {
      const { url } = await stage.newQueue();
      await send(stage, url);
      const [message] = await receive(stage, url);
      const Entries = [
        { Id: 'good', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 },
        { Id: 'bad', ReceiptHandle: 'no handle', VisibilityTimeout: 0 },
      ];
      const answer = await stage.sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
      same(
        'the successful',
        answer.Successful?.map(({ Id }) => Id),
        ['good'],
      );
      same(
        'the failed',
        answer.Failed?.map(({ Id, Code }) => [Id, Code]),
        [['bad', 'ReceiptHandleIsInvalid']],
      );
    },
  ),
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
  expectation(
    'sqs.dead-letters.redrive',
    'after its last receive a message is a dead letter, with body, attributes and id',
    DEAD_LETTERS,
    async (stage) => {
      const { source, dead } = await withDeadLetters(stage, 2);
      const MessageAttributes = { code: { DataType: 'String', StringValue: 'x' } };
      const { MessageId } = await stage.sqs.send(
        new SendMessageCommand({ QueueUrl: source.url, MessageBody: 'poison', MessageAttributes }),
      );
      for (let turn = 0; turn < 2; turn += 1) same('a receive', (await receive(stage, source.url, { VisibilityTimeout: 0 })).length, 1);
      same('after the last', (await receive(stage, source.url)).length, 0);
      const [letter] = await receive(stage, dead.url, { WaitTimeSeconds: 5, MessageAttributeNames: ['All'] });
      has('the dead letter', letter ?? {}, { Body: 'poison', MessageId });
      same('its attribute', letter?.MessageAttributes?.code?.StringValue, 'x');
    },
  ),
  expectation('sqs.dead-letters.missing', 'dead letters to a queue that is not there are refused', DEAD_LETTERS, async (stage) => {
    const { url, arn } = await stage.newQueue();
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `${arn}-missing`, maxReceiveCount: 2 });
    const command = new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { RedrivePolicy } });
    await refused(stage.sqs.send(command), '400 InvalidParameterValue', '400 InvalidAttributeValue');
  }),
  expectation(
    'sqs.dead-letters.sources',
    'a dead-letter queue names its sources',
    ['sqs-api', 'API_ListDeadLetterSourceQueues'],
    async (stage) => {
      const { source, dead } = await withDeadLetters(stage, 2);
      const { queueUrls } = await stage.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }));
      same('the sources', queueUrls, [source.url]);
    },
  ),
  expectation('sqs.move.back', 'a move task takes dead letters back where they came from', MOVES, async (stage) => {
    const { source, dead } = await withDeadLetters(stage, 1);
    await send(stage, source.url, 'poison');
    await receive(stage, source.url, { VisibilityTimeout: 0 });
    same('after the last', (await receive(stage, source.url)).length, 0);
    const { TaskHandle } = await stage.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    matches('its handle', TaskHandle, /^.+$/);
    const [message] = await receive(stage, source.url, { WaitTimeSeconds: 10 });
    same('what came back', message?.Body, 'poison');
    const { Results } = await stage.sqs.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn }));
    holds('it is listed', Results?.[0]?.Status === 'COMPLETED' || Results?.[0]?.Status === 'RUNNING');
  }),
  expectation('sqs.move.to', 'a move task takes them to a queue that is named', MOVES, async (stage) => {
    const { source, dead } = await withDeadLetters(stage, 1);
    const other = await stage.newQueue();
    await send(stage, source.url, 'poison');
    await receive(stage, source.url, { VisibilityTimeout: 0 });
    same('after the last', (await receive(stage, source.url)).length, 0);
    await stage.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn, DestinationArn: other.arn }));
    same('what came', (await receive(stage, other.url, { WaitTimeSeconds: 10 }))[0]?.Body, 'poison');
  }),
  expectation('sqs.move.no-dead-letters', 'a queue that has no sources has nothing to move back', MOVES, async (stage) => {
    const { arn } = await stage.newQueue();
    const command = new StartMessageMoveTaskCommand({ SourceArn: arn });
    await refused(stage.sqs.send(command), '400 InvalidParameterValue', '400 UnsupportedOperation');
  }),
  expectation('sqs.purge', 'a purge empties the queue', ['sqs-api', 'API_PurgeQueue'], async (stage) => {
    const { url } = await stage.newQueue();
    await send(stage, url);
    await stage.sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    same('what comes', (await receive(stage, url, { WaitTimeSeconds: 1 })).length, 0);
  }),
];

async function attributes(stage: Stage, QueueUrl: string): Promise<Record<string, string>> {
  return (await stage.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
}

const send = (stage: Stage, QueueUrl: string, MessageBody = 'body') => stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

async function receive(stage: Stage, QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, ...more });
  return (await stage.sqs.send(command)).Messages ?? [];
}

function change(stage: Stage, QueueUrl: string, message: Message | undefined, VisibilityTimeout: number) {
  const command = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout });
  return stage.sqs.send(command);
}

async function withDeadLetters(stage: Stage, maxReceiveCount: number) {
  const dead = await stage.newQueue();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  return { source: await stage.newQueue({ RedrivePolicy }), dead };
}
