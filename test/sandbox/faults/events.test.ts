import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStage, type Stage } from './workbench.ts';

const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000000:events';

let stage: Stage;
let sqs: SQSClient;

beforeEach(async () => {
  stage = await openStage();
  sqs = new SQSClient(stage.client);
  // The test event that came with the bucket's configuration.
  await stage.sandbox.services.sqs.call('PurgeQueue', { QueueUrl: `${stage.sandbox.endpoint}/000000000000/events` });
});
afterEach(async () => {
  sqs.destroy();
  await stage[Symbol.asyncDispose]();
});

const drop = (Key: string) => stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key, Body: 'x' }));

/** Keys and sequencers of the events, in the order in which they come; waits for `count`. */
async function receive(count: number): Promise<{ key: string; sequencer: string }[]> {
  const received: Message[] = [];
  const request = {
    QueueUrl: `${stage.sandbox.endpoint}/000000000000/events`,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 60,
    WaitTimeSeconds: 5,
  };
  while (received.length < count) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
    if (Messages.length === 0) break;
    received.push(...Messages);
  }
  return received.map(({ Body = '{}' }) => JSON.parse(Body).Records[0].s3.object);
}

const waiting = async () => {
  const { Attributes } = await stage.sandbox.services.sqs.call('GetQueueAttributes', {
    QueueUrl: `${stage.sandbox.endpoint}/000000000000/events`,
    AttributeNames: ['All'],
  });
  const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesDelayed: delayed } = Object(Attributes);
  return { visible: Number(visible), delayed: Number(delayed) };
};

test('duplicate: an event comes so many times more, with one sequencer', async () => {
  stage.faults.set({ rules: [{ fault: { kind: 'duplicate', times: 4 }, operation: 'ObjectCreated:Put', queue: 'events' }] });
  await drop('five');
  const events = await receive(5);
  expect(events.map(({ key }) => key)).toEqual(['five', 'five', 'five', 'five', 'five']);
  expect(new Set(events.map(({ sequencer }) => sequencer)).size).toBe(1);
  expect(await waiting()).toEqual({ visible: 0, delayed: 0 });
});

test('duplicate: events of another kind or for another queue come once', async () => {
  stage.faults.set({
    rules: [
      { fault: { kind: 'duplicate', times: 4 }, operation: 'ObjectCreated:Copy' },
      { fault: { kind: 'duplicate', times: 4 }, queue: 'other' },
    ],
  });
  await drop('one');
  expect(await waiting()).toEqual({ visible: 1, delayed: 0 });
  expect(stage.faults.report().rules.map(({ matched }) => matched)).toEqual([0, 0]);
});

test('delay: events wait in the queue, and arrive in another order', async () => {
  stage.faults.set({ seed: 4, rules: [{ fault: { kind: 'delay', seconds: 2 } }] });
  const keys = Array.from({ length: 12 }, (_, index) => String(index));
  for (const key of keys) await drop(key);
  expect((await waiting()).delayed).toBeGreaterThan(0);
  const arrived = (await receive(12)).map(({ key }) => key);
  expect([...arrived].sort()).toEqual([...keys].sort());
  expect(arrived).not.toEqual(keys);
});

describe('what the sink decides', () => {
  test('the test event is neither doubled nor delayed', () => {
    stage.faults.set({ rules: [{ fault: { kind: 'duplicate', times: 9 } }, { fault: { kind: 'delay', seconds: 900 } }] });
    stage.sandbox.services.s3.putBucketNotification('drop', {
      QueueConfigurations: [{ QueueArn: QUEUE_ARN, Events: ['s3:ObjectCreated:*'], Id: 'again' }],
    });
    return expect(waiting()).resolves.toEqual({ visible: 1, delayed: 0 });
  });

  test('each copy of an event has a delay of its own', async () => {
    stage.faults.set({
      rules: [{ fault: { kind: 'duplicate', times: 20 } }, { id: 'late', probability: 0.5, fault: { kind: 'delay', seconds: 900 } }],
    });
    await drop('spread');
    const { visible, delayed } = await waiting();
    expect(visible + delayed).toBe(21);
    const late = stage.faults.report().rules.find(({ id }) => id === 'late');
    expect(late).toMatchObject({ matched: 21, fired: delayed });
    expect(delayed).toBeGreaterThan(0);
    expect(visible).toBeGreaterThan(0);
  });
});
