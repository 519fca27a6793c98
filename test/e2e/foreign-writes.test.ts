/** What others do to the target bucket: refused where headers tell, recorded where they do not, and drift is told. */
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  type BucketVersioningStatus,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drained } from '../../local/queues.ts';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());

const stackKey = () => stack.env.SEALDROP_KMS_KEY_ARN;
const put = (Key: string, how: Partial<PutObjectCommandInput>) =>
  stack.s3.send(new PutObjectCommand({ Bucket: stack.targetBucket, Key, Body: 'past the pipeline', ...how }));
const underTheStackKey = () => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stackKey(), BucketKeyEnabled: false }) as const;

async function historyOf(key: string, actions: number): Promise<Record<string, unknown>[]> {
  await until(`${actions} events of ${key}`, async () => (await stack.history(key)).length >= actions);
  return stack.history(key);
}

const BY_THE_BUCKET_POLICY = { name: 'AccessDenied', message: expect.stringContaining('s3:PutObject') };

describe('a direct write into the target bucket', () => {
  test('without a word on encryption is refused by the bucket policy, whatever the default would do', async () => {
    await expect(put('default/silent.txt', {})).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('with an explicit deny in a resource-based policy'),
    });
  });

  test('under another existing key is refused', async () => {
    const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({}));
    await expect(put('default/other.txt', { ...underTheStackKey(), SSEKMSKeyId: KeyMetadata?.Arn })).rejects.toMatchObject(
      BY_THE_BUCKET_POLICY,
    );
  });

  test("under another rule's encryption is refused where its own is certain", async () => {
    await expect(put('s3/other.txt', underTheStackKey())).rejects.toMatchObject(BY_THE_BUCKET_POLICY);
  });

  test('with the right headers succeeds, and shows up as foreign', async () => {
    const { VersionId: versionId } = await put('default/right.txt', underTheStackKey());
    expect(await historyOf('default/right.txt', 1)).toEqual([
      expect.objectContaining({
        action: 'ObjectWritten',
        outcome: 'success',
        actor: expect.stringMatching(/^AWS:/),
        versionId,
        size: 17,
        encryption: { mode: 'sse-kms', keyArn: stackKey(), bucketKey: false },
      }),
    ]);
  });

  test('that headers do not give away is drift, once it is seen', async () => {
    await put('default/bucket-key.txt', { ...underTheStackKey(), BucketKeyEnabled: true });
    expect(await historyOf('default/bucket-key.txt', 2)).toEqual([
      expect.objectContaining({ action: 'DriftFound', outcome: 'failure', code: 'drift' }),
      expect.objectContaining({ action: 'ObjectWritten', encryption: expect.objectContaining({ bucketKey: true }) }),
    ]);
  });
});

test('a deletion is recorded with who did it', async () => {
  await stack.drop('default/deleted.txt', 'x');
  await stack.settled();
  await stack.s3.send(new DeleteObjectCommand({ Bucket: stack.targetBucket, Key: 'default/deleted.txt' }));
  const history = await historyOf('default/deleted.txt', 2);
  expect(history.map(({ action }) => action)).toEqual(['ObjectEncrypted', 'ObjectDeleted']);
  expect(history[1]).toMatchObject({ actor: expect.stringMatching(/^AWS:/), versionId: expect.any(String) });
});

test('our own writes are told apart in every mode, and nothing is left on the queue or dead', async () => {
  const keys = ['s3/own.txt', 'managed/own.txt', 'bucket-key/own.txt', 'dsse/own.txt', 'customer/own.txt', 'default/own.txt'];
  for (const key of keys) await stack.drop(key, 'own');
  await stack.settled();
  await drained({ sqs: stack.sqs, queueUrl: stack.env.SEALDROP_TARGET_EVENTS_QUEUE_URL ?? '' }, () => {}, 25_000);
  for (const key of keys) expect((await stack.history(key)).map(({ action }) => action)).toEqual(['ObjectEncrypted']);
  const deadLetters = { sqs: stack.sqs, queueUrl: stack.env.SEALDROP_TARGET_EVENTS_DEAD_LETTER_QUEUE_URL ?? '' };
  await drained(deadLetters, () => {}, 0);
});

describe('while versioning is suspended', () => {
  const versioning = (Status: BucketVersioningStatus) =>
    stack.s3.send(new PutBucketVersioningCommand({ Bucket: stack.targetBucket, VersioningConfiguration: { Status } }));
  beforeAll(() => versioning('Suspended'));

  test('the same bytes, written back by somebody else, are not taken for ours', async () => {
    await stack.drop('s3/again.txt', 'the same bytes');
    await stack.settled();
    await put('s3/again.txt', { Body: 'the same bytes', ServerSideEncryption: 'AES256' });
    expect((await historyOf('s3/again.txt', 2)).map(({ action }) => action)).toEqual(['ObjectEncrypted', 'ObjectWritten']);
  });

  test("somebody else's object under SSE-C is told", async () => {
    await put('customer/foreign.txt', { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32, 1).toString('base64') });
    expect(await historyOf('customer/foreign.txt', 1)).toEqual([expect.objectContaining({ encryption: { mode: 'sse-c' } })]);
  });

  test('what is written is found below what is written after it ended', async () => {
    await put('default/below.txt', { ...underTheStackKey(), BucketKeyEnabled: true });
    await versioning('Enabled');
    await put('default/below.txt', underTheStackKey());
    const history = await historyOf('default/below.txt', 3);
    expect(history.map(({ action }) => action).sort()).toEqual(['DriftFound', 'ObjectWritten', 'ObjectWritten']);
    for (const { encryption } of history) expect(encryption).toMatchObject({ mode: 'sse-kms' });
  });
});
