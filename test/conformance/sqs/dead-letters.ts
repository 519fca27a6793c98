/** Dead letters, and their way back. */
import {
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { has, holds, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { receive, send, withDeadLetters } from './calls.ts';

const DEAD_LETTERS = ['sqs-guide', 'sqs-dead-letter-queues'] as const;
const MOVES = ['sqs-api', 'API_StartMessageMoveTask'] as const;

export const DEAD_LETTER_QUEUES: Expectation[] = [
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
];
