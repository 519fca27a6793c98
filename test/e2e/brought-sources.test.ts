/** An ingest bucket that was there before: whatever its owner made of it, an object is encrypted or fails by name. */
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutBucketEncryptionCommand, PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const Bucket = 'brought-ingest';
const THEIR_KEY = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32, 7).toString('base64') };

let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack(undefined, { ingestBucket: Bucket });
  await stack.s3.send(new CreateBucketCommand({ Bucket }));
  // SSE-C is off in new buckets.
  const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'AES256' as const };
  const Rules = [{ ApplyServerSideEncryptionByDefault, BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] } }];
  await stack.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
});
afterAll(() => stack.stop());

const put = async (Key: string, Body: string, more: Partial<PutObjectCommandInput> = {}) =>
  (await stack.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))).ETag;

/** What the owner's own notifications would say. */
async function tell(key: string, eTag: string | undefined, size: number, sequencer = '00AA'): Promise<void> {
  const head = { eventVersion: '2.1', eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() };
  await stack.enqueue(JSON.stringify({ Records: [{ ...head, s3: { bucket: { name: Bucket }, object: { key, eTag, size, sequencer } } }] }));
}

async function deadLetter(): Promise<Record<string, string | undefined>> {
  const [letter] = await stack.takeDeadLetters(1);
  return Object.fromEntries(Object.entries(letter?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]));
}

test('its objects are encrypted like any other', async () => {
  await tell('default/plain.txt', await put('default/plain.txt', 'brought'), 7);
  await stack.settled();
  expect(await (await stack.get('default/plain.txt')).text()).toBe('brought');
});

test('an object that was overwritten while there are no versions is encrypted by its newer event, and the older one has not failed', async () => {
  const first = await put('default/moving.txt', 'first');
  const second = await put('default/moving.txt', 'second');
  await tell('default/moving.txt', first, 5);
  await tell('default/moving.txt', second, 6, '00AB');
  await stack.settled();
  expect(await (await stack.get('default/moving.txt')).text()).toBe('second');
  const history = await stack.history('default/moving.txt');
  expect(history.map(({ action, uniqueId }) => [action, uniqueId])).toContainEqual(['ObjectEncrypted', '00AB']);
  expect(history.map(({ action }) => action)).not.toContain('EncryptionFailed');
});

test("an object under somebody's customer key is unreadable by name", async () => {
  await tell('default/theirs.txt', await put('default/theirs.txt', 'x', THEIR_KEY), 1);
  expect(await deadLetter()).toMatchObject({ code: 'source-unreadable', nextStep: expect.stringContaining('KMS key') });
});

test('an object under a KMS key that the function may not use is unreadable by name, and KMS is named', async () => {
  const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({}));
  const under = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.Arn } as const;
  await tell('default/locked.txt', await put('default/locked.txt', 'x', under), 1);
  expect(await deadLetter()).toMatchObject({ code: 'source-unreadable', cause: expect.stringContaining('kms:Decrypt') });
});
