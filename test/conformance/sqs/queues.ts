/** Queues and their attributes. */
import { CreateQueueCommand, GetQueueUrlCommand, PurgeQueueCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { attributes, receive, send } from './calls.ts';

const CREATE = ['sqs-api', 'API_CreateQueue'] as const;

export const QUEUES: Expectation[] = [
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
  expectation('sqs.purge', 'a purge empties the queue', ['sqs-api', 'API_PurgeQueue'], async (stage) => {
    const { url } = await stage.newQueue();
    await send(stage, url);
    await stage.sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    same('what comes', (await receive(stage, url, { WaitTimeSeconds: 1 })).length, 0);
  }),
];
