import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ListDeadLetterSourceQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, test, vi } from 'vitest';
import { openSqs } from '../../../sandbox/sqs/sqs.ts';
import { arnOf, sqsWorkbench } from './workbench.ts';

const { open, counts, createQueue, receive, send } = sqsWorkbench();

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
    await open.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }));
    expect(await counts(QueueUrl)).toEqual(['0', '1', '0']);
    await open.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle }));
    expect(await counts(QueueUrl)).toEqual(['0', '0', '0']);
    await expect(open.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle }))).resolves.toBeDefined();
  });

  test('a handle that is none, or of another queue, is ReceiptHandleIsInvalid', async () => {
    const [QueueUrl, other] = await Promise.all([createQueue(), createQueue()]);
    await send(other, 'x');
    const [message] = await receive(other);
    for (const ReceiptHandle of ['nonsense', message?.ReceiptHandle]) {
      await expect(open.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))).rejects.toMatchObject({
        name: 'ReceiptHandleIsInvalid',
      });
    }
  });

  test('can be ended and prolonged while the message is in flight, and only then', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'x');
    const [message] = await receive(QueueUrl);
    const change = (VisibilityTimeout: number) =>
      open.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }));
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
    await open.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'soon', DelaySeconds: 1 }));
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
    const waiting = open.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: abort.signal });
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
    await expect(open.sqs.send(new ReceiveMessageCommand({ QueueUrl, ...option }))).rejects.toMatchObject({
      message: expect.stringContaining(`for parameter ${name} is invalid. Reason: Must be between`),
    });
  });
});

describe('dead letters', () => {
  test('move after maxReceiveCount receives, with id, attributes and time as they were', async () => {
    const dead = await createQueue();
    const QueueUrl = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: 2 }) });
    const MessageAttributes = { a: { DataType: 'String', StringValue: '1' } };
    await open.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison', MessageAttributes }));
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
    expect((await open.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))).queueUrls).toEqual([QueueUrl]);
  });

  test('do not hold up the messages behind them', async () => {
    const dead = await createQueue();
    const QueueUrl = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount: '1' }) });
    for (let n = 0; n < 10; n += 1) open.service.send(arnOf(QueueUrl), 'poison');
    expect(await receive(QueueUrl, { visibility: 0 })).toHaveLength(10);
    open.service.send(arnOf(QueueUrl), 'good');
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
    const stop = open.service.onAvailable(arn, () => heard.push(...open.service.receive(arn, { max: 10 }).map(({ body }) => body)));
    open.service.send(arn, 'a');
    open.service.send(arn, 'b');
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b']));
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b', 'a', 'b']), { timeout: 3000 });
    stop();
    open.service.send(arn, 'c');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).not.toContain('c');
  });

  test('a listener that comes late hears of what is there', async () => {
    const arn = arnOf(await createQueue());
    open.service.send(arn, 'early');
    const stop = await new Promise<() => void>((resolve) => {
      const end = open.service.onAvailable(arn, () => resolve(end));
    });
    stop();
    const [message] = open.service.receive(arn, { max: 1 });
    expect(message).toMatchObject({ body: 'early', attributes: { ApproximateReceiveCount: '1' } });
    open.service.changeVisibility(arn, message?.receiptHandle ?? '', 0);
    const [again] = open.service.receive(arn, { max: 1 });
    open.service.delete(arn, again?.receiptHandle ?? '');
    expect(open.service.receive(arn, { max: 1, visibilityTimeoutSeconds: 0 })).toEqual([]);
    expect([open.service.exists(arn), open.service.exists(`${arn}x`)]).toEqual([true, false]);
  });

  test('a message sent in a transaction that fails was never there', async () => {
    const arn = arnOf(await createQueue());
    expect(() =>
      open.sandbox.state.transaction(() => {
        open.service.send(arn, 'x');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(open.service.receive(arn, { max: 1 })).toEqual([]);
  });

  test('queues and messages survive a restart, and what was in flight can be received again', async () => {
    const QueueUrl = await createQueue();
    await send(QueueUrl, 'kept');
    await send(QueueUrl, 'in flight');
    await receive(QueueUrl, { max: 1 });
    const again = openSqs(open.sandbox.state);
    expect(again.receive(arnOf(QueueUrl), { max: 10 }).map(({ body }) => body)).toEqual(['in flight', 'kept']);
    again.close();
  });
});
