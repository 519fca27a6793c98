import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ObservedCall } from '../../../sandbox/index.ts';
import { openStage, type Stage } from './workbench.ts';

/** Two calls after one another, then two at once; says when it is through, and how often the message had been received. */
const WORK = `
  import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  const s3 = new S3Client({ maxAttempts: 3 });
  const dynamodb = new DynamoDBClient({ maxAttempts: 3 });
  const put = (Key) => s3.send(new PutObjectCommand({ Bucket: 'target', Key, Body: 'x', ServerSideEncryption: 'AES256' }));
  export const handler = async ({ Records: [{ body, attributes }] }) => {
    const name = body + '/' + attributes.ApproximateReceiveCount;
    console.log('BEGIN ' + name + ' ' + process.env.AWS_ACCESS_KEY_ID);
    await put(name + '/first');
    await dynamodb.send(new PutItemCommand({ TableName: 'notes', Item: { pk: { S: name } } }));
    await Promise.all([put(name + '/left'), put(name + '/right')]);
    console.log('END ' + name);
  };`;

let stage: Stage;
let sqs: SQSClient;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  stage = await openStage({ work: WORK });
  sqs = new SQSClient(stage.client);
  dynamodb = new DynamoDBClient(stage.client);
});
afterEach(() => stage.faults.clear());
afterAll(async () => {
  sqs.destroy();
  dynamodb.destroy();
  await stage[Symbol.asyncDispose]();
});

const send = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl: stage.queueUrl, MessageBody }));
const ended = (name: string) => expect.poll(() => stage.printed(), { timeout: 15_000 }).toContain(`END ${name}\n`);
const keyOf = (name: string) => new RegExp(`BEGIN ${name} (\\w+)`).exec(stage.printed())?.[1];
/** The environment in which a run began. */
const isAlive = (name: string) => stage.sandbox.services.functions.environmentOf(keyOf(name) ?? '') !== null;
const objects = async (prefix: string) =>
  ((await stage.s3.send(new ListObjectsV2Command({ Bucket: 'target', Prefix: prefix }))).Contents ?? []).map(({ Key }) =>
    Key?.slice(prefix.length),
  );
const noted = async (name: string) =>
  ((await dynamodb.send(new ScanCommand({ TableName: 'notes' }))).Items ?? []).some(({ pk }) => pk?.S === name);

test.each([
  ['before', 'PutObject', [], false],
  ['after', 'PutObject', ['first'], false],
  ['before', 'PutItem', ['first'], false],
  ['after', 'PutItem', ['first'], true],
] as const)(
  'killed %s %s: what was done is there, what was not is not, and the message comes back',
  async (when, operation, keys, hasNote) => {
    const name = `${when}-${operation}`;
    stage.faults.set({ rules: [{ id: 'kill', caller: 'work', operation, count: 1, fault: { kind: 'kill', when } }] });
    await send(name);
    await ended(`${name}/2`);
    expect(stage.printed()).not.toContain(`END ${name}/1`);
    expect(isAlive(`${name}/1`)).toBe(false);
    expect(await objects(`${name}/1/`)).toEqual([...keys]);
    expect(await noted(`${name}/1`)).toBe(hasNote);
    expect(stage.faults.report().rules[0]).toMatchObject({ id: 'kill', fired: 1 });
    expect((await objects(`${name}/2/`)).sort()).toEqual(['first', 'left', 'right']);
  },
);

test('a call on its way beside the killing one may still be done, and none that comes later is', async () => {
  stage.faults.set({ rules: [{ caller: 'work', operation: 'PutObject', after: 1, count: 1, fault: { kind: 'kill', when: 'before' } }] });
  await send('parallel');
  await ended('parallel/2');
  const left = await objects('parallel/1/');
  expect(left).toContain('first');
  expect(left.length).toBeLessThan(3);
  expect(await noted('parallel/1')).toBe(true);
});

test('only the environment that sent the call ends', async () => {
  const held = Promise.withResolvers<void>();
  const bothAreThere = Promise.withResolvers<void>();
  const paths = new Set<string>();
  const stop = stage.faults.observe(({ phase, path }: ObservedCall) => {
    if (phase === 'after' || !/\/(spared|struck)\/1\/first$/.test(path)) return;
    paths.add(path);
    if (paths.size === 2) bothAreThere.resolve();
    return held.promise;
  });
  await Promise.all([send('spared'), send('struck')]);
  await bothAreThere.promise;
  stop();
  expect(keyOf('spared/1')).not.toBe(keyOf('struck/1'));
  stage.faults.set({ rules: [{ caller: 'work', operation: 'PutItem', count: 1, fault: { kind: 'kill', when: 'before' } }] });
  held.resolve();
  await expect.poll(() => stage.printed(), { timeout: 15_000 }).toMatch(/END (spared|struck)\/2\n/);
  const firstRuns = ['spared/1', 'struck/1'].filter((name) => stage.printed().includes(`END ${name}\n`));
  expect(firstRuns).toHaveLength(1);
});

test('the administrator cannot be killed', async () => {
  stage.faults.set({ rules: [{ caller: '*', fault: { kind: 'kill', when: 'before' } }] });
  expect(await objects('nothing')).toEqual([]);
  expect(stage.faults.report().rules[0]).toMatchObject({ matched: 0 });
});

test('a test numbers the calls of a run and kills at each of them', async () => {
  const seen: string[] = [];
  const stop = stage.faults.observe(({ phase, caller, service, operation }) => {
    if (phase === 'before' && caller === 'app-work') seen.push(`${service}:${operation}`);
  });
  await send('numbered');
  await ended('numbered/1');
  stop();
  expect(seen).toEqual(['s3:PutObject', 'dynamodb:PutItem', 's3:PutObject', 's3:PutObject']);
  for (const [after] of seen.entries()) {
    const when = after % 2 === 0 ? 'before' : 'after';
    stage.faults.set({ rules: [{ caller: 'work', after, count: 1, fault: { kind: 'kill', when } }] });
    const name = `numbered-${after}`;
    await send(name);
    await ended(`${name}/2`);
    expect(stage.printed()).not.toContain(`END ${name}/1`);
    expect(isAlive(`${name}/1`)).toBe(false);
  }
});
