import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

let sandbox: SandboxServer;
let service: Sqs;
let sqs: SQSClient;

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    service = openSqs(state);
    return { services: { sqs: service }, close: async () => service.close() };
  });
  sqs = new SQSClient(sandbox.client);
});
afterEach(() => {
  vi.useRealTimers();
  expect(sandbox.defects).toEqual([]);
});
afterAll(async () => {
  sqs.destroy();
  await sandbox.close();
});

const arnOf = (QueueUrl: string) => `arn:aws:sqs:us-east-1:000000000000:${QueueUrl.split('/').at(-1)}`;

async function createQueue(Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID(), Attributes }));
  return QueueUrl;
}

const send = (QueueUrl: string, MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

async function receive(QueueUrl: string, options: { max?: number; visibility?: number; wait?: number } = {}): Promise<Message[]> {
  const answer = await sqs.send(
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
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
  return Attributes?.[name];
}

async function counts(QueueUrl: string): Promise<(string | undefined)[]> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return [
    Attributes.ApproximateNumberOfMessages,
    Attributes.ApproximateNumberOfMessagesNotVisible,
    Attributes.ApproximateNumberOfMessagesDelayed,
  ];
}

describe('a queue', () => {
  test('is found by name, whatever host its URL has', async () => {
    const QueueUrl = await createQueue();
    expect(QueueUrl).toMatch(new RegExp(`^${sandbox.url}/000000000000/`));
    const { QueueUrl: found } = await sqs.send(new GetQueueUrlCommand({ QueueName: QueueUrl.split('/').at(-1) }));
    expect(found).toBe(QueueUrl);
    const { pathname } = new URL(QueueUrl);
    expect(await service.call('GetQueueAttributes', { QueueUrl: `https://sqs.us-east-1.amazonaws.com${pathname}` })).toEqual({});
  });

  test('that is missing is QueueDoesNotExist, with the old code for those who know that', async () => {
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'nobody' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      message: 'The specified queue does not exist.',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      Type: 'Sender',
    });
  });

  test('is made once; with other attributes it is another queue of the same name', async () => {
    const QueueName = randomUUID();
    const create = (Attributes: Record<string, string>) => sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
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
    const set = (value: string) => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [name]: value } }));
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
    await expect(sqs.send(new CreateQueueCommand({ QueueName }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test('forgets an attribute that is set to nothing', async () => {
    const QueueUrl = await createQueue({ Policy: '{"Statement":[]}' });
    expect(await attributeOf(QueueUrl, 'Policy')).toBe('{"Statement":[]}');
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }));
    expect(await attributeOf(QueueUrl, 'Policy')).toBeUndefined();
  });

  test('is listed by prefix, page by page, and keeps its tags', async () => {
    const prefix = randomUUID().slice(0, 13);
    for (const n of [1, 2, 3]) await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-${n}`, tags: { n: `${n}` } }));
    const first = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2 }));
    const rest = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2, NextToken: first.NextToken }));
    const urls = [...(first.QueueUrls ?? []), ...(rest.QueueUrls ?? [])];
    expect(urls.map((url) => url.slice(-1))).toEqual(['1', '2', '3']);
    expect(rest.NextToken).toBeUndefined();
    await sqs.send(new TagQueueCommand({ QueueUrl: urls[0], Tags: { more: 'yes' } }));
    expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl: urls[0] }))).Tags).toEqual({ n: '1', more: 'yes' });
  });

  test('takes its messages with it when it goes', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await expect(receive(QueueUrl)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await sqs.send(new CreateQueueCommand({ QueueName: QueueUrl.split('/').at(-1) }));
    expect(await receive(QueueUrl)).toEqual([]);
  });

  test('can be purged once a minute', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
    await expect(sqs.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({ name: 'PurgeQueueInProgress' });
  });
});

describe('a message', () => {
  test('arrives with its attributes, and with digests that the SDK checked', async () => {
    const QueueUrl = await createQueue();
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'é💾' },
      'number.1': { DataType: 'Number.int', StringValue: '42' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255, 1]) },
    };
    const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'é💾\n', MessageAttributes }));
    const [message] = await receive(QueueUrl);
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: 'é💾\n', MD5OfBody: sent.MD5OfMessageBody });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.MessageAttributes?.text?.StringValue).toBe('é💾');
    expect(Buffer.from(message?.MessageAttributes?.bytes?.BinaryValue ?? [])).toEqual(Buffer.from([0, 255, 1]));
    expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', SenderId: expect.stringMatching(/^AIDA/) });
    expect(Number(message?.Attributes?.SentTimestamp)).toBeGreaterThan(Date.now() - 60_000);
  });

  test('has the attribute digest of AWS’s definition', async () => {
    // From the definition by hand: md5 over 4-byte lengths, names, types, transport type 1 and value, sorted by name.
    const { createHash } = await import('node:crypto');
    const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
    const one = (name: string, value: string) => Buffer.concat([part(name), part('String'), Buffer.from([1]), part(value)]);
    const expected = createHash('md5')
      .update(Buffer.concat([one('a', '1'), one('b', '2')]))
      .digest('hex');
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
    const QueueUrl = await createQueue();
    const sent = await sqs.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes: { b: attribute('2'), a: attribute('1') } }),
    );
    expect(sent.MD5OfMessageAttributes).toBe(expected);
  });

  test('shows only the attributes that are asked for', async () => {
    const QueueUrl = await createQueue();
    const attribute = { DataType: 'String', StringValue: 'x' };
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'x',
        MessageAttributes: { 'app.a': attribute, 'app.b': attribute, other: attribute },
      }),
    );
    const ask = async (MessageAttributeNames: string[], MessageSystemAttributeNames: 'SentTimestamp'[] = []) => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames, MessageSystemAttributeNames, VisibilityTimeout: 0 }),
      );
      return [Object.keys(Messages?.[0]?.MessageAttributes ?? {}), Object.keys(Messages?.[0]?.Attributes ?? {})];
    };
    expect(await ask([])).toEqual([[], []]);
    expect(await ask(['app.*'])).toEqual([['app.a', 'app.b'], []]);
    expect(await ask(['other', 'none'], ['SentTimestamp'])).toEqual([['other'], ['SentTimestamp']]);
  });

  test.each([
    [1023, true],
    [1024, true],
    [1025, false],
  ])('of %i bytes fits a queue for 1024: %s', async (size, accepted) => {
    const QueueUrl = await createQueue({ MaximumMessageSize: '1024' });
    const answer = send(QueueUrl, 'x'.repeat(size));
    if (accepted) await expect(answer).resolves.toBeDefined();
    else await expect(answer).rejects.toMatchObject({ name: 'InvalidParameterValue', Code: 'InvalidParameterValue' });
  });

  test.each([
    ['', 'InvalidParameterValue'],
    ['\u0000', 'InvalidMessageContents'],
    ['\uFFFF', 'InvalidMessageContents'],
  ])('with the body %j is refused', async (body, name) => {
    await expect(send(await createQueue(), body)).rejects.toMatchObject({ name });
  });

  test.each([
    [{ '.a': { DataType: 'String', StringValue: 'x' } }],
    [{ 'AWS.x': { DataType: 'String', StringValue: 'x' } }],
    [{ a: { DataType: 'Text', StringValue: 'x' } }],
    [{ a: { DataType: 'String', StringValue: '' } }],
    [{ a: { DataType: 'Number', StringValue: 'one' } }],
    [Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`a${n}`, { DataType: 'String', StringValue: 'x' }]))],
  ])('with the attributes %o is refused', async (MessageAttributes) => {
    const QueueUrl = await createQueue();
    const answer = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes }));
    await expect(answer).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('is not readable in the database', async () => {
    const needle = `needle-${randomUUID()}`;
    await send(await createQueue(), needle);
    const rows = sandbox.state.db.prepare('SELECT sealed FROM sqs_messages').all();
    const bytes = rows.map(({ sealed }) => (sealed instanceof Uint8Array ? Buffer.from(sealed) : Buffer.alloc(0)));
    expect(Buffer.concat(bytes).length).toBeGreaterThan(needle.length);
    expect(Buffer.concat(bytes).includes(needle)).toBe(false);
  });

  test('that waits longer than the retention period is gone', async () => {
    const QueueUrl = await createQueue({ MessageRetentionPeriod: '60' });
    service.send(arnOf(QueueUrl), 'x');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 59_000 });
    expect(service.receive(arnOf(QueueUrl), { max: 1, visibilityTimeoutSeconds: 0 })).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2000);
    expect(service.receive(arnOf(QueueUrl), { max: 1 })).toHaveLength(0);
  });
});

describe('visibility', () => {
  test('a received message is hidden until its timeout, then comes back with a higher count', async () => {
    const QueueUrl = await createQueue({ VisibilityTimeout: '1' });
    await send(QueueUrl, 'x');
    const [first] = await receive(QueueUrl);
    expect(await counts(QueueUrl)).toEqual(['0', '1', '0']);
    expect(await receive(QueueUrl)).toEqual([]);
    const started = performance.now();
    const [second] = await receive(QueueUrl, { wait: 5 });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(second?.MessageId).toBe(first?.MessageId);
    expect(second?.Attributes?.ApproximateReceiveCount).toBe('2');
    expect(second?.Attributes?.ApproximateFirstReceiveTimestamp).toBe(first?.Attributes?.ApproximateFirstReceiveTimestamp);
  });

  test('an old receipt handle deletes nothing, the newest one does', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    const [first] = await receive(QueueUrl, { visibility: 0 });
    const [second] = await receive(QueueUrl);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }));
    expect(await counts(QueueUrl)).toEqual(['0', '1', '0']);
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle }));
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
    await expect(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle }))).resolves.toBeDefined();
  });

  test('a handle that is none, or of another queue, is ReceiptHandleIsInvalid', async () => {
    const [QueueUrl, other] = await Promise.all([createQueue(), createQueue()]);
    await send(other, 'x');
    const [message] = await receive(other);
    for (const ReceiptHandle of ['nonsense', message?.ReceiptHandle]) {
      await expect(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))).rejects.toMatchObject({
        name: 'ReceiptHandleIsInvalid',
      });
    }
  });

  test('can be ended and prolonged while the message is in flight, and only then', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    const [message] = await receive(QueueUrl);
    const change = (VisibilityTimeout: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }));
    await expect(change(43_201)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await change(43_200);
    expect(await counts(QueueUrl)).toEqual(['0', '1', '0']);
    await change(0);
    expect(await counts(QueueUrl)).toEqual(['1', '0', '0']);
    await expect(change(10)).rejects.toMatchObject({ name: 'MessageNotInflight' });
    await receive(QueueUrl);
    await expect(change(10)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('a delayed message waits for its time, the queue’s or its own', async () => {
    const QueueUrl = await createQueue({ DelaySeconds: '900' });
    await send(QueueUrl, 'late');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'soon', DelaySeconds: 1 }));
    expect(await counts(QueueUrl)).toEqual(['0', '0', '2']);
    expect((await receive(QueueUrl, { wait: 5 })).map(({ Body }) => Body)).toEqual(['soon']);
  });
});

describe('long polling', () => {
  test('ends as soon as a message is sent', async () => {
    const QueueUrl = await createQueue();
    const waiting = receive(QueueUrl, { wait: 20 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = performance.now();
    await send(QueueUrl, 'x');
    expect(await waiting).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('gives one message to one of many waiters', async () => {
    const QueueUrl = await createQueue();
    const waiting = Array.from({ length: 5 }, () => receive(QueueUrl, { wait: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await send(QueueUrl, 'x');
    expect((await Promise.all(waiting)).flat()).toHaveLength(1);
  });

  test('ends empty when its time is over', async () => {
    const QueueUrl = await createQueue({ ReceiveMessageWaitTimeSeconds: '1' });
    const started = performance.now();
    expect(await receive(QueueUrl)).toEqual([]);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test('takes nothing for a client that is gone', async () => {
    const QueueUrl = await createQueue();
    const abort = new AbortController();
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await send(QueueUrl, 'x');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await counts(QueueUrl)).toEqual(['1', '0', '0']);
  });

  test.each([
    ['WaitTimeSeconds', { WaitTimeSeconds: 21 }],
    ['MaxNumberOfMessages', { MaxNumberOfMessages: 11 }],
    ['MaxNumberOfMessages', { MaxNumberOfMessages: 0 }],
    ['VisibilityTimeout', { VisibilityTimeout: 43_201 }],
  ])('refuses a %s out of range', async (name, option) => {
    const QueueUrl = await createQueue();
    await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl, ...option }))).rejects.toMatchObject({
      message: expect.stringContaining(`for parameter ${name} is invalid. Reason: Must be between`),
    });
  });
});

describe('a batch', () => {
  test('sends, hides and deletes ten messages, and reports the entry that failed', async () => {
    const QueueUrl = await createQueue();
    const entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: n === 3 ? '\u0001' : `body ${n}` }));
    const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries }));
    expect(sent.Successful).toHaveLength(9);
    expect(sent.Failed).toMatchObject([{ Id: '3', SenderFault: true, Code: 'InvalidMessageContents' }]);
    const handles = (await receive(QueueUrl)).map(({ ReceiptHandle }, n) => ({ Id: `${n}`, ReceiptHandle }));
    expect(handles).toHaveLength(9);
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 100 })) }),
    );
    const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [...handles, { Id: 'bad', ReceiptHandle: 'x' }] }));
    expect(deleted.Successful).toHaveLength(9);
    expect(deleted.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
  });

  test.each([
    [[], 'EmptyBatchRequest'],
    [Array.from({ length: 11 }, (_, n) => `${n}`), 'TooManyEntriesInBatchRequest'],
    [['a', 'a'], 'BatchEntryIdsNotDistinct'],
    [['not valid'], 'InvalidBatchEntryId'],
  ])('with the ids %o is %s', async (ids, name) => {
    const QueueUrl = await createQueue();
    const Entries = ids.map((Id) => ({ Id, MessageBody: 'x' }));
    await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({ name });
  });

  test('of more than 1 MiB together is BatchRequestTooLong', async () => {
    const QueueUrl = await createQueue();
    const entries = (bytes: number) => [
      { Id: 'a', MessageBody: 'x'.repeat(524_288) },
      { Id: 'b', MessageBody: 'x'.repeat(bytes) },
    ];
    await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(524_288) }))).resolves.toBeDefined();
    await expect(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(524_289) }))).rejects.toMatchObject({
      name: 'BatchRequestTooLong',
    });
  });
});

describe('dead letters', () => {
  test('move after maxReceiveCount receives, with id, attributes and time as they were', async () => {
    const dead = await createQueue();
    const QueueUrl = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 2 }) });
    const MessageAttributes = { a: { DataType: 'String', StringValue: '1' } };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison', MessageAttributes }));
    const [first] = await receive(QueueUrl, { visibility: 0 });
    expect(await receive(QueueUrl, { visibility: 0 })).toHaveLength(1);
    const waiting = receive(dead, { wait: 10 });
    expect(await receive(QueueUrl)).toEqual([]);
    const [letter] = await waiting;
    expect(letter).toMatchObject({ MessageId: first?.MessageId, Body: 'poison', MessageAttributes: first?.MessageAttributes });
    expect(letter?.Attributes).toMatchObject({
      SentTimestamp: first?.Attributes?.SentTimestamp,
      DeadLetterQueueSourceArn: arnOf(QueueUrl),
    });
    expect((await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))).queueUrls).toEqual([QueueUrl]);
  });

  test('do not hold up the messages behind them', async () => {
    const dead = await createQueue();
    const QueueUrl = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: '1' }) });
    for (let n = 0; n < 10; n += 1) service.send(arnOf(QueueUrl), 'poison');
    expect(await receive(QueueUrl, { visibility: 0 })).toHaveLength(10);
    service.send(arnOf(QueueUrl), 'good');
    expect((await receive(QueueUrl)).map(({ Body }) => Body)).toEqual(['good']);
    expect(await counts(dead)).toEqual(['10', '0', '0']);
  });

  test('stay where they are when the other queue does not take them', async () => {
    const dead = await createQueue({ RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 1 });
    await expect(createQueue({ RedrivePolicy })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

describe('in process', () => {
  test('a listener hears of what is sent, what times out, and nothing once it has gone', async () => {
    const QueueUrl = await createQueue({ VisibilityTimeout: '1' });
    const arn = arnOf(QueueUrl);
    const heard: string[] = [];
    const stop = service.onAvailable(arn, () => heard.push(...service.receive(arn, { max: 10 }).map(({ body }) => body)));
    service.send(arn, 'a');
    service.send(arn, 'b');
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b']));
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b', 'a', 'b']), { timeout: 3000 });
    stop();
    service.send(arn, 'c');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).not.toContain('c');
  });

  test('a listener that comes late hears of what is there', async () => {
    const arn = arnOf(await createQueue());
    service.send(arn, 'early');
    const stop = await new Promise<() => void>((resolve) => {
      const end = service.onAvailable(arn, () => resolve(end));
    });
    stop();
    const [message] = service.receive(arn, { max: 1 });
    expect(message).toMatchObject({ body: 'early', attributes: { ApproximateReceiveCount: '1' } });
    service.changeVisibility(arn, message?.receiptHandle ?? '', 0);
    const [again] = service.receive(arn, { max: 1 });
    service.delete(arn, again?.receiptHandle ?? '');
    expect(service.receive(arn, { max: 1, visibilityTimeoutSeconds: 0 })).toEqual([]);
    expect([service.exists(arn), service.exists(`${arn}x`)]).toEqual([true, false]);
  });

  test('a message sent in a transaction that fails was never there', async () => {
    const arn = arnOf(await createQueue());
    expect(() =>
      sandbox.state.transaction(() => {
        service.send(arn, 'x');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(service.receive(arn, { max: 1 })).toEqual([]);
  });

  test('queues and messages survive a restart, and what was in flight can be received again', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'kept');
    await send(QueueUrl, 'in flight');
    await receive(QueueUrl, { max: 1 });
    const again = openSqs(sandbox.state);
    expect(again.receive(arnOf(QueueUrl), { max: 10 }).map(({ body }) => body)).toEqual(['in flight', 'kept']);
    again.close();
  });
});

test.runIf(hasAwsCli)('the AWS CLI sends, receives and deletes', async () => {
  const { QueueUrl } = (await aws(sandbox, 'sqs', 'create-queue', '--queue-name', 'cli')) ?? {};
  const attributes = '{"n":{"DataType":"Number","StringValue":"1"}}';
  await aws(sandbox, 'sqs', 'send-message', '--queue-url', String(QueueUrl), '--message-body', 'hello', '--message-attributes', attributes);
  const got = await aws(
    sandbox,
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
  await aws(sandbox, 'sqs', 'delete-message', '--queue-url', String(QueueUrl), '--receipt-handle', message?.ReceiptHandle ?? '');
  await expect(aws(sandbox, 'sqs', 'get-queue-url', '--queue-name', 'none')).rejects.toThrow('(AWS.SimpleQueueService.NonExistentQueue)');
});
