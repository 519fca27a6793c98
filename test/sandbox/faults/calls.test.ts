import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { BatchWriteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openStage, type Stage } from './workbench.ts';

let stage: Stage;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  stage = await openStage();
  dynamodb = new DynamoDBClient(stage.client);
});
afterEach(() => stage.faults.clear());
afterAll(async () => {
  dynamodb.destroy();
  await stage[Symbol.asyncDispose]();
});

const put = (Key: string, Body: string | Buffer = 'hello') =>
  stage.s3.send(new PutObjectCommand({ Bucket: 'target', Key, Body, ServerSideEncryption: 'AES256' }));
const exists = (Key: string) =>
  stage.s3.send(new HeadObjectCommand({ Bucket: 'target', Key })).then(
    () => true,
    () => false,
  );
const write = (pk: string) =>
  dynamodb.send(new BatchWriteItemCommand({ RequestItems: { notes: [{ PutRequest: { Item: { pk: { S: pk } } } }] } }));
const items = async () => ((await dynamodb.send(new ScanCommand({ TableName: 'notes' }))).Items ?? []).map(({ pk }) => pk?.S);

describe('error', () => {
  test('is answered in S3’s words, and nothing is done', async () => {
    stage.faults.set({
      rules: [
        {
          service: 's3',
          operation: 'PutObject',
          caller: '*',
          fault: { kind: 'error', status: 503, code: 'SlowDown', message: 'Please slow down.' },
        },
      ],
    });
    await expect(put('throttled')).rejects.toMatchObject({
      name: 'SlowDown',
      message: 'Please slow down.',
      $metadata: { httpStatusCode: 503 },
    });
    expect(await exists('throttled')).toBe(false);
  });

  test('is answered in the words of a JSON service, and nothing is done', async () => {
    const fault = { kind: 'error', status: 400, code: 'ProvisionedThroughputExceededException' } as const;
    stage.faults.set({ rules: [{ service: 'dynamodb', operation: 'BatchWriteItem', caller: '*', fault }] });
    await expect(write('throttled')).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await items()).not.toContain('throttled');
  });

  test('hits an operation of the query protocol, and the others still read their form', async () => {
    const sts = new STSClient(stage.client);
    stage.faults.set({
      rules: [{ service: 'sts', operation: 'AssumeRole', caller: '*', fault: { kind: 'error', status: 500, code: 'InternalFailure' } }],
    });
    expect((await sts.send(new GetCallerIdentityCommand())).Account).toBe('000000000000');
    stage.faults.set({
      rules: [{ operation: 'GetCallerIdentity', caller: '*', fault: { kind: 'error', status: 500, code: 'InternalFailure' } }],
    });
    await expect(sts.send(new GetCallerIdentityCommand())).rejects.toMatchObject({ name: 'InternalFailure' });
    sts.destroy();
  });

  test('leaves the connection good for the next request', async () => {
    stage.faults.set({ rules: [{ service: 's3', caller: '*', count: 1, fault: { kind: 'error', status: 500, code: 'InternalError' } }] });
    await expect(put('large', Buffer.alloc(3_000_000, 'x'))).rejects.toMatchObject({ name: 'InternalError' });
    await put('large', Buffer.alloc(3_000_000, 'y'));
    expect((await stage.s3.send(new HeadObjectCommand({ Bucket: 'target', Key: 'large' }))).ContentLength).toBe(3_000_000);
  });
});

describe('unprocessed', () => {
  const batch = (names: string[]) =>
    dynamodb.send(new BatchWriteItemCommand({ RequestItems: { notes: names.map((pk) => ({ PutRequest: { Item: { pk: { S: pk } } } })) } }));

  test('half of a batch is written, and the rest is handed back', async () => {
    stage.faults.set({ rules: [{ caller: '*', fault: { kind: 'unprocessed' } }] });
    const { UnprocessedItems } = await batch(['u1', 'u2', 'u3', 'u4', 'u5']);
    expect(UnprocessedItems?.notes?.map(({ PutRequest }) => PutRequest?.Item?.pk?.S)).toEqual(['u3', 'u4', 'u5']);
    expect((await items()).filter((pk) => pk?.startsWith('u')).sort()).toEqual(['u1', 'u2']);
  });

  test('a batch of one is refused, as DynamoDB does when it can take nothing', async () => {
    stage.faults.set({ rules: [{ caller: '*', fault: { kind: 'unprocessed' } }] });
    await expect(batch(['alone'])).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    expect(await items()).not.toContain('alone');
  });
});

describe('reset', () => {
  const reset = (operation: string, when: 'before' | 'after' | 'mid-body') =>
    stage.faults.set({ rules: [{ operation, caller: '*', count: 1, fault: { kind: 'reset', when } }] });

  test('before: the connection breaks and nothing was done', async () => {
    reset('PutObject', 'before');
    await expect(put('reset-before')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await exists('reset-before')).toBe(false);
  });

  test('after: the connection breaks and all was done', async () => {
    reset('PutObject', 'after');
    await expect(put('reset-after')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await exists('reset-after')).toBe(true);
    reset('BatchWriteItem', 'after');
    await expect(write('reset-after')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await items()).toContain('reset-after');
  });

  test.each([10, 1_000_000])('mid-body: of %i bytes half arrive', async (size) => {
    await put('half', Buffer.alloc(size, 'x'));
    reset('GetObject', 'mid-body');
    const { Body } = await stage.s3.send(new GetObjectCommand({ Bucket: 'target', Key: 'half' }));
    let received = 0;
    const ended = once(
      (Body as Readable).on('data', (chunk: Buffer) => (received += chunk.length)),
      'end',
    );
    await expect(ended).rejects.toThrow('aborted');
    expect(received).toBe(size / 2);
    const whole = await stage.s3.send(new GetObjectCommand({ Bucket: 'target', Key: 'half' }));
    expect((await whole.Body?.transformToByteArray())?.length).toBe(size);
  });

  test('mid-body: a copy whose answer breaks was made', async () => {
    await put('source');
    reset('CopyObject', 'mid-body');
    await expect(stage.s3.send(new CopyObjectCommand({ Bucket: 'target', Key: 'copied', CopySource: 'target/source' }))).rejects.toThrow();
    expect(await exists('copied')).toBe(true);
  });
});
