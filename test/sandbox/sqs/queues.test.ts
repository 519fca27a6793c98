import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { sqsWorkbench } from './workbench.ts';

const { open, attributeOf, counts, createQueue, receive, send } = sqsWorkbench();

describe('a queue', () => {
  test('is found by name, whatever host its URL has', async () => {
    const QueueUrl = await createQueue();
    expect(QueueUrl).toMatch(new RegExp(`^${open.sandbox.url}/000000000000/`));
    const { QueueUrl: found } = await open.sqs.send(new GetQueueUrlCommand({ QueueName: QueueUrl.split('/').at(-1) }));
    expect(found).toBe(QueueUrl);
    const { pathname } = new URL(QueueUrl);
    expect(await open.service.call('GetQueueAttributes', { QueueUrl: `https://sqs.us-east-1.amazonaws.com${pathname}` })).toEqual({});
  });

  test('that is missing is QueueDoesNotExist, with the old code for those who know that', async () => {
    await expect(open.sqs.send(new GetQueueUrlCommand({ QueueName: 'nobody' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      message: 'The specified queue does not exist.',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      Type: 'Sender',
    });
  });

  test('is made once; with other attributes it is another queue of the same name', async () => {
    const QueueName = randomUUID();
    const create = (Attributes: Record<string, string>) => open.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    const first = await create({ VisibilityTimeout: '60' });
    expect((await create({})).QueueUrl).toBe(first.QueueUrl);
    expect((await create({ VisibilityTimeout: '60', DelaySeconds: '0' })).QueueUrl).toBe(first.QueueUrl);
    await expect(create({ VisibilityTimeout: '61' })).rejects.toMatchObject({ name: 'QueueNameExists', Code: 'QueueAlreadyExists' });
  });

  test.each([
    ['VisibilityTimeout', '-1', '0', '43200', '43201'],
    ['DelaySeconds', '-1', '0', '900', '901'],
    ['MaximumMessageSize', '1023', '1024', '1048576', '1048577'],
    ['MessageRetentionPeriod', '59', '60', '1209600', '1209601'],
    ['ReceiveMessageWaitTimeSeconds', '1.5', '0', '20', '21'],
  ])('takes %s from its smallest to its largest value and not beyond', async (name, below, least, most, above) => {
    const QueueUrl = await createQueue();
    const set = (value: string) => open.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [name]: value } }));
    for (const value of [least, most]) await expect(set(value)).resolves.toBeDefined();
    for (const value of [below, above]) await expect(set(value)).rejects.toMatchObject({ name: 'InvalidAttributeValue' });
  });

  test.each([
    [{ Nonsense: '1' }, 'InvalidAttributeName'],
    [{ QueueArn: 'x' }, 'InvalidAttributeName'],
    [{ Policy: '{' }, 'InvalidAttributeValue'],
    [{ FifoQueue: 'true' }, 'UnsupportedOperation'],
    [{ KmsMasterKeyId: 'alias/aws/sqs' }, 'NotImplemented'],
    [{ RedrivePolicy: '{"maxReceiveCount":3}' }, 'InvalidParameterValue'],
    [{ RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none","maxReceiveCount":3}' }, 'InvalidParameterValue'],
  ])('refuses the attributes %o', async (Attributes, name) => {
    await expect(createQueue(Attributes)).rejects.toMatchObject({ name });
  });

  test.each(['queue.fifo', 'with space', 'x'.repeat(81), ''])('cannot be called "%s"', async (QueueName) => {
    await expect(open.sqs.send(new CreateQueueCommand({ QueueName }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test('forgets an attribute that is set to nothing', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' },
    });
    const QueueUrl = await createQueue({ Policy });
    expect(await attributeOf(QueueUrl, 'Policy')).toBe(Policy);
    await open.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }));
    expect(await attributeOf(QueueUrl, 'Policy')).toBeUndefined();
  });

  test('is listed by prefix, page by page, and keeps its tags', async () => {
    const prefix = randomUUID().slice(0, 13);
    for (const n of [1, 2, 3]) await open.sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-${n}`, tags: { n: `${n}` } }));
    const first = await open.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2 }));
    const rest = await open.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2, NextToken: first.NextToken }));
    const urls = [...(first.QueueUrls ?? []), ...(rest.QueueUrls ?? [])];
    expect(urls.map((url) => url.slice(-1))).toEqual(['1', '2', '3']);
    expect(rest.NextToken).toBeUndefined();
    await open.sqs.send(new TagQueueCommand({ QueueUrl: urls[0], Tags: { more: 'yes' } }));
    expect((await open.sqs.send(new ListQueueTagsCommand({ QueueUrl: urls[0] }))).Tags).toEqual({ n: '1', more: 'yes' });
  });

  test('takes its messages with it when it goes', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    await open.sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await expect(receive(QueueUrl)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await open.sqs.send(new CreateQueueCommand({ QueueName: QueueUrl.split('/').at(-1) }));
    expect(await receive(QueueUrl)).toEqual([]);
  });

  test('can be purged once a minute', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    await open.sqs.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
    await expect(open.sqs.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({ name: 'PurgeQueueInProgress' });
  });
});

test.runIf(hasAwsCli)('the AWS CLI sends, receives and deletes', async () => {
  const { QueueUrl } = (await aws(open.sandbox, 'sqs', 'create-queue', '--queue-name', 'cli')) ?? {};
  const attributes = '{"n":{"DataType":"Number","StringValue":"1"}}';
  await aws(
    open.sandbox,
    'sqs',
    'send-message',
    '--queue-url',
    String(QueueUrl),
    '--message-body',
    'hello',
    '--message-attributes',
    attributes,
  );
  const got = await aws(
    open.sandbox,
    'sqs',
    'receive-message',
    '--queue-url',
    String(QueueUrl),
    '--message-attribute-names',
    'All',
    '--wait-time-seconds',
    '1',
  );
  const [message] = (got?.Messages ?? []) as { Body: string; ReceiptHandle: string }[];
  expect(message?.Body).toBe('hello');
  await aws(open.sandbox, 'sqs', 'delete-message', '--queue-url', String(QueueUrl), '--receipt-handle', message?.ReceiptHandle ?? '');
  await expect(aws(open.sandbox, 'sqs', 'get-queue-url', '--queue-name', 'none')).rejects.toThrow(
    '(AWS.SimpleQueueService.NonExistentQueue)',
  );
});
