import { randomUUID } from 'node:crypto';
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { expect, test, vi } from 'vitest';
import { openSqs, type Sqs } from '../../../sandbox/sqs/sqs.ts';
import { aws, hasAwsCli } from '../wire/aws-cli.ts';
import { sqsWorkbench } from './workbench.ts';

const { open } = sqsWorkbench();

async function createQueue(attributes: Record<string, string> = {}): Promise<string> {
  const QueueName = randomUUID();
  await open.sqs.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
  return `arn:aws:sqs:us-east-1:000000000000:${QueueName}`;
}

/** A queue and its dead-letter queue, which holds `count` letters that came from there. */
async function createDeadLetters(count: number): Promise<{ source: string; dead: string; ids: string[] }> {
  const dead = await createQueue();
  const source = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead, maxReceiveCount: 1 }) });
  for (let n = 0; n < count; n += 1) open.service.send(source, `letter ${n}`);
  const ids: string[] = [];
  for (let taken = 0; taken < count; taken = ids.length) {
    ids.push(...open.service.receive(source, { max: 10, visibilityTimeoutSeconds: 3600 }).map(({ messageId }) => messageId));
  }
  open.sandbox.state.db.prepare('UPDATE sqs_messages SET visible_ms = 0 WHERE receipt IS NOT NULL').run();
  expect(open.service.receive(source, { max: 10 })).toEqual([]);
  return { source, dead, ids };
}

async function tasks(SourceArn: string) {
  const { Results = [] } = await open.sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 10 }));
  return Results;
}

/** Without receiving them, which would count. */
async function waiting(arn: string, at: Sqs = open.service): Promise<number> {
  const QueueUrl = `http://localhost/000000000000/${arn.split(':').at(-1)}`;
  const { Attributes } = await at.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] });
  return Number(Object(Attributes).ApproximateNumberOfMessages);
}

const bodies = (arn: string) => open.service.receive(arn, { max: 10, visibilityTimeoutSeconds: 0 }).map(({ body }) => body);

test('dead letters go back to where they came from, as new messages', async () => {
  const { source, dead } = await createDeadLetters(3);
  const arrived = new Promise<void>((resolve) => {
    open.service.onAvailable(source, () => {
      if (open.service.receive(source, { max: 10, visibilityTimeoutSeconds: 0 }).length === 3) resolve();
    });
  });
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await arrived;
  expect(await tasks(dead)).toMatchObject([
    { Status: 'COMPLETED', SourceArn: dead, ApproximateNumberOfMessagesMoved: 3, ApproximateNumberOfMessagesToMove: 3 },
  ]);
  expect(bodies(dead)).toEqual([]);
});

test('a message that was moved back has a new id and counts from one', async () => {
  const { source, dead, ids } = await createDeadLetters(1);
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  const [message] = await vi.waitFor(() => {
    const received = open.service.receive(source, { max: 1 });
    expect(received).toHaveLength(1);
    return received;
  });
  expect(message?.body).toBe('letter 0');
  expect(message?.attributes.ApproximateReceiveCount).toBe('1');
  expect(message?.attributes).not.toHaveProperty('DeadLetterQueueSourceArn');
  expect(ids).not.toContain(message?.messageId);
});

test('they go to another queue when one is named', async () => {
  const { source, dead } = await createDeadLetters(2);
  const other = await createQueue();
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead, DestinationArn: other }));
  await vi.waitFor(() => expect(bodies(other)).toEqual(['letter 0', 'letter 1']));
  expect(bodies(source)).toEqual([]);
});

test('more than one batch is moved whole', async () => {
  const { source, dead } = await createDeadLetters(250);
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await vi.waitFor(async () => expect(await tasks(dead)).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 250 }]));
  expect(bodies(source)).toHaveLength(10);
});

test('a slow task moves so many a second, is alone, and can be cancelled', async () => {
  const { source, dead } = await createDeadLetters(5);
  const start = new StartMessageMoveTaskCommand({ SourceArn: dead, MaxNumberOfMessagesPerSecond: 2 });
  const { TaskHandle } = await open.sqs.send(start);
  await vi.waitFor(async () => expect(await waiting(source)).toBe(2));
  expect(await tasks(dead)).toMatchObject([{ Status: 'RUNNING', TaskHandle, MaxNumberOfMessagesPerSecond: 2 }]);
  await expect(open.sqs.send(start)).rejects.toMatchObject({ message: expect.stringContaining('There is already a task running.') });
  const cancelled = await open.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  expect(cancelled.ApproximateNumberOfMessagesMoved).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect([await waiting(source), await waiting(dead)]).toEqual([2, 3]);
  const [task] = await tasks(dead);
  expect(task?.Status).toBe('CANCELLED');
  expect(task).not.toHaveProperty('TaskHandle');
  await expect(open.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toMatchObject({ name: 'UnsupportedOperation' });
});

test('a task goes on after a restart', async () => {
  const { source, dead } = await createDeadLetters(4);
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead, MaxNumberOfMessagesPerSecond: 2 }));
  await vi.waitFor(async () => expect(await waiting(source)).toBe(2));
  // What a restart takes away are the timers.
  open.service.close();
  const again = openSqs(open.sandbox.state);
  await vi.waitFor(async () => expect(await waiting(source, again)).toBe(4), { timeout: 3000 });
  again.close();
});

test('a letter that was sent there directly has nowhere to go back to', async () => {
  const { dead } = await createDeadLetters(0);
  open.service.send(dead, 'direct');
  await open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await vi.waitFor(async () =>
    expect(await tasks(dead)).toMatchObject([{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }]),
  );
  expect(bodies(dead)).toEqual(['direct']);
});

test('only a dead-letter queue can be emptied this way', async () => {
  const plain = await createQueue();
  await expect(open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: plain }))).rejects.toMatchObject({
    message: 'Source queue must be configured as a Dead Letter Queue.',
  });
  await expect(open.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: `${plain}x` }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test.runIf(hasAwsCli)('the AWS CLI moves dead letters back', async () => {
  const { source, dead } = await createDeadLetters(1);
  await aws(open.sandbox, 'sqs', 'start-message-move-task', '--source-arn', dead);
  await vi.waitFor(() => expect(bodies(source)).toEqual(['letter 0']));
  const { Results } = (await aws(open.sandbox, 'sqs', 'list-message-move-tasks', '--source-arn', dead)) ?? {};
  expect(Results).toMatchObject([{ Status: 'COMPLETED' }]);
});
