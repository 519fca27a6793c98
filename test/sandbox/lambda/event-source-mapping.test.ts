import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EventSourceMapping, type EventSourceMappings, openEventSourceMappings } from '../../../sandbox/lambda/index.ts';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const ARN = 'arn:aws:sqs:us-east-1:000000000000:work';
const DEAD_ARN = 'arn:aws:sqs:us-east-1:000000000000:dead';
const URL = 'http://localhost/000000000000/work';

let bench: Workbench;
let sqs: Sqs;
let mappings: EventSourceMappings;

beforeEach(async () => {
  bench = openWorkbench({ maxEnvironments: 4 });
  sqs = openSqs(bench.state);
  await sqs.call('CreateQueue', { QueueName: 'dead' });
  await sqs.call('CreateQueue', {
    QueueName: 'work',
    Attributes: { VisibilityTimeout: '1', RedrivePolicy: JSON.stringify({ deadLetterTargetArn: DEAD_ARN, maxReceiveCount: 2 }) },
  });
  mappings = openEventSourceMappings({ queues: sqs, functions: bench.functions, maxConcurrency: 4 });
});
afterEach(async () => {
  mappings.stop();
  sqs.close();
  await bench.close();
});

function map(more: Partial<EventSourceMapping> = {}): void {
  mappings.put('m', {
    queueArn: ARN,
    functionName: 'worker',
    batchSize: 10,
    batchingWindowSeconds: 0,
    maximumConcurrency: 4,
    reportBatchItemFailures: true,
    enabled: true,
    ...more,
  });
}

/** The batches that the function printed, each a list of message bodies. */
const batches = () =>
  [...(bench.printed.get('worker') ?? '').matchAll(/BATCH (\[.*?\])/g)].map(([, json]) => JSON.parse(json ?? '[]') as string[]);
const bodies = () => batches().flat();
const count = async (name: string, attribute = 'ApproximateNumberOfMessages') => {
  const { Attributes } = await sqs.call('GetQueueAttributes', {
    QueueUrl: `http://localhost/000000000000/${name}`,
    AttributeNames: ['All'],
  });
  return Number(Object(Attributes)[attribute]);
};
const empty = () => expect.poll(async () => (await count('work')) + (await count('work', 'ApproximateNumberOfMessagesNotVisible'))).toBe(0);

const worker = (rest = '') =>
  `export const handler = async (event) => { console.log('BATCH ' + JSON.stringify(event.Records.map((r) => r.body))); ${rest} };`;

describe('a batch', () => {
  test('has the records of Lambda', async () => {
    await bench.deploy('worker', `export const handler = async (event) => { console.log('EVENT ' + JSON.stringify(event)); };`);
    await sqs.call('SendMessage', {
      QueueUrl: URL,
      MessageBody: 'hello',
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 't' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.from('b').toString('base64') },
      },
    });
    map();
    await expect.poll(() => bench.printed.get('worker')).toContain('EVENT');
    const event = JSON.parse(/EVENT (.*)/.exec(bench.printed.get('worker') ?? '')?.[1] ?? '');
    expect(event).toEqual({
      Records: [
        {
          messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: 'hello',
          md5OfBody: '5d41402abc4b2a76b9719d911017c592',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: expect.stringMatching(/^\d{13}$/),
            SenderId: expect.any(String),
            ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          },
          messageAttributes: {
            text: { stringValue: 't', stringListValues: [], binaryListValues: [], dataType: 'String' },
            bytes: { binaryValue: 'Yg==', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
          },
          eventSource: 'aws:sqs',
          eventSourceARN: ARN,
          awsRegion: 'us-east-1',
        },
      ],
    });
    await empty();
  });

  test.each([
    [9, 1],
    [10, 1],
    [11, 2],
  ])('%i messages are handed on in %i batches of at most 10', async (messages, expected) => {
    await bench.deploy('worker', worker());
    for (let i = 0; i < messages; i += 1) sqs.send(ARN, String(i));
    map();
    await empty();
    await expect.poll(() => bodies().length).toBe(messages);
    expect(batches().length).toBe(expected);
    expect(Math.max(...batches().map((batch) => batch.length))).toBeLessThanOrEqual(10);
  });

  test('with a batching window gathers messages until it is full', async () => {
    await bench.deploy('worker', worker());
    map({ batchSize: 3, batchingWindowSeconds: 20 });
    for (const body of ['a', 'b']) sqs.send(ARN, body);
    await sleep(200);
    expect(batches()).toEqual([]);
    sqs.send(ARN, 'c');
    await expect.poll(() => bodies().sort()).toEqual(['a', 'b', 'c']);
  });

  test('with a batching window is handed on when it ends', async () => {
    await bench.deploy('worker', worker());
    await sqs.call('SetQueueAttributes', { QueueUrl: URL, Attributes: { VisibilityTimeout: '30' } });
    map({ batchSize: 100, batchingWindowSeconds: 1 });
    sqs.send(ARN, 'lonely');
    await expect.poll(() => batches(), { timeout: 5_000 }).toEqual([['lonely']]);
  });

  test('more than the concurrency wait in the queue', async () => {
    await bench.deploy('worker', worker('await new Promise((done) => setTimeout(done, 400));'));
    await sqs.call('SetQueueAttributes', { QueueUrl: URL, Attributes: { VisibilityTimeout: '30' } });
    for (let i = 0; i < 5; i += 1) sqs.send(ARN, String(i));
    map({ batchSize: 1, maximumConcurrency: 2 });
    await expect.poll(() => batches().length).toBe(2);
    expect(await count('work')).toBe(3);
    await expect.poll(() => bodies().sort(), { timeout: 5_000 }).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('what the function answers', () => {
  test.each([
    ['nothing', ''],
    ['null', 'return null;'],
    ['an empty object', 'return {};'],
    ['no failures', 'return { batchItemFailures: [] };'],
    ['null failures', 'return { batchItemFailures: null };'],
  ])('%s: all are done', async (_what, rest) => {
    await bench.deploy('worker', worker(rest));
    for (const body of ['a', 'b']) sqs.send(ARN, body);
    map();
    await empty();
    await expect.poll(() => bodies().sort()).toEqual(['a', 'b']);
    expect(await count('dead')).toBe(0);
  });

  test.each([
    ['an error', `throw new Error('all of them');`],
    ['a list', 'return [];'],
    ['text', `return 'done';`],
    ['other members', 'return { failures: [] };'],
    ['failures that are no list', 'return { batchItemFailures: {} };'],
    ['an identifier by another name', 'return { batchItemFailures: [{ messageId: event.Records[0].messageId }] };'],
    ['an empty identifier', `return { batchItemFailures: [{ itemIdentifier: '' }] };`],
    ['a null identifier', 'return { batchItemFailures: [{ itemIdentifier: null }] };'],
    ['an identifier of no message', `return { batchItemFailures: [{ itemIdentifier: 'x' }] };`],
  ])('%s: the whole batch comes back, and goes to the dead letters in the end', async (_what, rest) => {
    await bench.deploy('worker', worker(rest));
    for (const body of ['a', 'b']) sqs.send(ARN, body);
    map();
    await expect.poll(() => count('dead'), { timeout: 10_000 }).toBe(2);
    await expect.poll(() => bodies().sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  test('a list of failures: those come back, the rest is done', async () => {
    await bench.deploy(
      'worker',
      worker(`return { batchItemFailures: event.Records.filter((r) => r.body === 'bad').map((r) => ({ itemIdentifier: r.messageId })) };`),
    );
    for (const body of ['good', 'bad', 'fine']) sqs.send(ARN, body);
    map();
    await expect.poll(() => count('dead'), { timeout: 10_000 }).toBe(1);
    await expect.poll(() => bodies().sort()).toEqual(['bad', 'bad', 'fine', 'good']);
  });

  test('a list of failures without ReportBatchItemFailures: all are done', async () => {
    await bench.deploy('worker', worker('return { batchItemFailures: event.Records.map((r) => ({ itemIdentifier: r.messageId })) };'));
    sqs.send(ARN, 'a');
    map({ reportBatchItemFailures: false });
    await empty();
    await expect.poll(() => bodies()).toEqual(['a']);
  });
});

test('a time-out and a crash make the batch come back', async () => {
  await bench.deploy(
    'worker',
    worker(
      `if (event.Records[0].attributes.ApproximateReceiveCount === '1') { if (event.Records[0].body === 'exit') process.exit(1); while (true); }`,
    ),
    { timeoutSeconds: 1 },
  );
  map({ batchSize: 1 });
  for (const body of ['exit', 'spin']) sqs.send(ARN, body);
  await expect.poll(() => bodies().sort(), { timeout: 10_000 }).toEqual(['exit', 'exit', 'spin', 'spin']);
  await empty();
});

test('a mapping that is disabled, replaced or removed takes no more', async () => {
  await bench.deploy('worker', worker());
  map();
  map({ enabled: false });
  sqs.send(ARN, 'waits');
  await sleep(200);
  expect(bodies()).toEqual([]);
  map();
  await expect.poll(() => bodies()).toEqual(['waits']);
  mappings.remove('m');
  sqs.send(ARN, 'stays');
  await sleep(200);
  expect(bodies()).toEqual(['waits']);
});

test('messages of a function that is gone stay', async () => {
  await bench.deploy('worker', worker());
  map();
  bench.functions.remove('worker');
  sqs.send(ARN, 'early');
  await sleep(100);
  await bench.deploy('worker', worker());
  await expect.poll(() => bodies(), { timeout: 5_000 }).toEqual(['early']);
});
