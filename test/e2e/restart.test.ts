import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const PREFIXES = ['s3/', 'managed/', 'bucket-key/', 'dsse/', 'customer/', 'default/'];
const canary = `canary-${randomUUID()}-`.repeat(20);

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
  for (const prefix of PREFIXES) await stack.drop(`${prefix}canary`, canary);
  await stack.settled();
});
afterAll(() => stack.stop());

test('nothing in the data folder holds a dropped byte in the clear', () => {
  const files = readdirSync(stack.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(PREFIXES.length);
  const leaks = files.filter((file) => readFileSync(join(file.parentPath, file.name)).includes(canary.slice(0, 40)));
  expect(leaks.map(({ name }) => name)).toEqual([]);
});

test('a restart on the same data finds every object, its history and the keys', async () => {
  const before = stack.env;
  await stack.restart();
  for (const name of ['SEALDROP_INGEST_BUCKET', 'SEALDROP_KMS_KEY_ARN', 'SEALDROP_CUSTOMER_KEY_SECRET', 'AWS_ACCESS_KEY_ID']) {
    expect(stack.env[name], name).toBe(before[name]);
  }
  for (const prefix of PREFIXES) {
    expect(await (await stack.get(`${prefix}canary`)).text(), prefix).toBe(canary);
    expect((await stack.history(`${prefix}canary`)).map(({ action }) => action)).toEqual(['ObjectEncrypted', 'ObjectDownloaded']);
  }
  await stack.drop('s3/after', 'still working');
  await stack.settled();
  expect(await (await stack.get('s3/after')).text()).toBe('still working');
});

test('what was being worked on when the process ended is taken up again at the next start', async () => {
  const QueueUrl = () => stack.env.SEALDROP_QUEUE_URL;
  const own = await stack.sqs.send(
    new CreateQueueCommand({ QueueName: 'taken-and-never-finished', Attributes: { VisibilityTimeout: '1800' } }),
  );
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: own.QueueUrl, MessageBody: 'unfinished' }));
  expect((await stack.sqs.send(new ReceiveMessageCommand({ QueueUrl: own.QueueUrl }))).Messages).toHaveLength(1);
  await stack.restart();
  const again = own.QueueUrl?.replace(/^http:\/\/[^/]+/, new URL(QueueUrl() ?? '').origin);
  const { Messages } = await stack.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: again, MessageSystemAttributeNames: ['ApproximateReceiveCount'] }),
  );
  expect(Messages?.[0]).toMatchObject({ Body: 'unfinished', Attributes: { ApproximateReceiveCount: '2' } });
});
