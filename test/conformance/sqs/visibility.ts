/** How long a received message is hidden. */
import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs';
import { holds, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { attributes, change, receive, send } from './calls.ts';

const VISIBILITY = ['sqs-guide', 'sqs-visibility-timeout'] as const;

export const VISIBILITIES: Expectation[] = [
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
];
