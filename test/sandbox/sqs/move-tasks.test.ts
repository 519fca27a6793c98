import { randomUUID } from 'node:crypto';
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  ListMessageMoveTasksCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
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
afterEach(() => expect(sandbox.defects).toEqual([]));
afterAll(async () => {
  sqs.destroy();
  await sandbox.close();
});

async function createQueue(attributes: Record<string, string> = {}): Promise<string> {
  const QueueName = randomUUID();
  await sqs.send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
  return `arn:aws:sqs:us-east-1:000000000000:${QueueName}`;
}

/** A queue and its dead-letter queue, which holds `count` letters that came from there. */
async function createDeadLetters(count: number): Promise<{ source: string; dead: string; ids: string[] }> {
  const dead = await createQueue();
  const source = await createQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead, maxReceiveCount: 1 }) });
  for (let n = 0; n < count; n += 1) service.send(source, `letter ${n}`);
  const ids: string[] = [];
  for (let taken = 0; taken < count; taken = ids.length) {
    ids.push(...service.receive(source, { max: 10, visibilityTimeoutSeconds: 3600 }).map(({ messageId }) => messageId));
  }
  sandbox.state.db.prepare('UPDATE sqs_messages SET visible_ms = 0 WHERE receipt IS NOT NULL').run();
  expect(service.receive(source, { max: 10 })).toEqual([]);
  return { source, dead, ids };
}

async function tasks(SourceArn: string) {
  const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 10 }));
  return Results;
}

/** Without receiving them, which would count. */
async function waiting(arn: string, at: Sqs = service): Promise<number> {
  const QueueUrl = `http://localhost/000000000000/${arn.split(':').at(-1)}`;
  const { Attributes } = await at.call('GetQueueAttributes', { QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] });
  return Number(Object(Attributes).ApproximateNumberOfMessages);
}

const bodies = (arn: string) => service.receive(arn, { max: 10, visibilityTimeoutSeconds: 0 }).map(({ body }) => body);

test('dead letters go back to where they came from, as new messages', async () => {
  const { source, dead } = await createDeadLetters(3);
  const arrived = new Promise<void>((resolve) => {
    service.onAvailable(source, () => {
      if (service.receive(source, { max: 10, visibilityTimeoutSeconds: 0 }).length === 3) resolve();
    });
  });
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await arrived;
  expect(await tasks(dead)).toMatchObject([
    { Status: 'COMPLETED', SourceArn: dead, ApproximateNumberOfMessagesMoved: 3, ApproximateNumberOfMessagesToMove: 3 },
  ]);
  expect(bodies(dead)).toEqual([]);
});

test('a message that was moved back has a new id and counts from one', async () => {
  const { source, dead, ids } = await createDeadLetters(1);
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  const [message] = await vi.waitFor(() => {
    const received = service.receive(source, { max: 1 });
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
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead, DestinationArn: other }));
  await vi.waitFor(() => expect(bodies(other)).toEqual(['letter 0', 'letter 1']));
  expect(bodies(source)).toEqual([]);
});

test('more than one batch is moved whole', async () => {
  const { source, dead } = await createDeadLetters(250);
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await vi.waitFor(async () => expect(await tasks(dead)).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 250 }]));
  expect(bodies(source)).toHaveLength(10);
});

test('a slow task moves so many a second, is alone, and can be cancelled', async () => {
  const { source, dead } = await createDeadLetters(5);
  const start = new StartMessageMoveTaskCommand({ SourceArn: dead, MaxNumberOfMessagesPerSecond: 2 });
  const { TaskHandle } = await sqs.send(start);
  await vi.waitFor(async () => expect(await waiting(source)).toBe(2));
  expect(await tasks(dead)).toMatchObject([{ Status: 'RUNNING', TaskHandle, MaxNumberOfMessagesPerSecond: 2 }]);
  await expect(sqs.send(start)).rejects.toMatchObject({ message: expect.stringContaining('There is already a task running.') });
  const cancelled = await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  expect(cancelled.ApproximateNumberOfMessagesMoved).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect([await waiting(source), await waiting(dead)]).toEqual([2, 3]);
  const [task] = await tasks(dead);
  expect(task?.Status).toBe('CANCELLED');
  expect(task).not.toHaveProperty('TaskHandle');
  await expect(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toMatchObject({ name: 'UnsupportedOperation' });
});

test('a task goes on after a restart', async () => {
  const { source, dead } = await createDeadLetters(4);
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead, MaxNumberOfMessagesPerSecond: 2 }));
  await vi.waitFor(async () => expect(await waiting(source)).toBe(2));
  // What a restart takes away are the timers.
  service.close();
  const again = openSqs(sandbox.state);
  await vi.waitFor(async () => expect(await waiting(source, again)).toBe(4), { timeout: 3000 });
  again.close();
});

test('a letter that was sent there directly has nowhere to go back to', async () => {
  const { dead } = await createDeadLetters(0);
  service.send(dead, 'direct');
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead }));
  await vi.waitFor(async () =>
    expect(await tasks(dead)).toMatchObject([{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }]),
  );
  expect(bodies(dead)).toEqual(['direct']);
});

test('only a dead-letter queue can be emptied this way', async () => {
  const plain = await createQueue();
  await expect(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: plain }))).rejects.toMatchObject({
    message: 'Source queue must be configured as a Dead Letter Queue.',
  });
  await expect(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: `${plain}x` }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test.runIf(hasAwsCli)('the AWS CLI moves dead letters back', async () => {
  const { source, dead } = await createDeadLetters(1);
  await aws(sandbox, 'sqs', 'start-message-move-task', '--source-arn', dead);
  await vi.waitFor(() => expect(bodies(source)).toEqual(['letter 0']));
  const { Results } = (await aws(sandbox, 'sqs', 'list-message-move-tasks', '--source-arn', dead)) ?? {};
  expect(Results).toMatchObject([{ Status: 'COMPLETED' }]);
});
