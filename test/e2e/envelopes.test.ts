/** Objects that were encrypted before S3 saw them, and what becomes of downloads once somebody changed what is stored. */
import { randomBytes } from 'node:crypto';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const MIB = 1024 * 1024;

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack();
});
afterAll(() => stack.stop());

async function stored(key: string) {
  const { Body, ContentEncoding } = await stack.s3.send(new GetObjectCommand({ Bucket: stack.targetBucket, Key: key }));
  return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), contentEncoding: ContentEncoding };
}

/** As who may break the glass can, past the pipeline. */
async function plant(key: string, bytes: Buffer, contentEncoding = 'x-sealdrop-cse-kms') {
  const how = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stack.env.SEALDROP_KMS_KEY_ARN, BucketKeyEnabled: true } as const;
  await stack.s3.send(
    new PutObjectCommand({ Bucket: stack.targetBucket, Key: key, Body: bytes, ContentEncoding: contentEncoding, ...how }),
  );
}

async function dropped(key: string, body: Buffer): Promise<Buffer> {
  await stack.drop(key, body);
  await stack.settled();
  return (await stored(key)).bytes;
}

async function refused(key: string, headers: Record<string, string> = {}) {
  const answer = await stack.get(key, { headers });
  return { status: answer.status, code: ((await answer.json()) as { code: string }).code };
}

/** What arrives, and whether it arrived whole. */
async function fetched(key: string): Promise<{ status: number; bytes: Buffer; whole: boolean }> {
  const answer = await stack.get(key);
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of answer.body ?? []) chunks.push(chunk);
    return { status: answer.status, bytes: Buffer.concat(chunks), whole: true };
  } catch {
    return { status: answer.status, bytes: Buffer.concat(chunks), whole: false };
  }
}

const INVALID = { status: 502, code: 'ciphertext-invalid' };

describe('what S3 holds', () => {
  test.each(['sealed/', 'shared-key/', 'wrapped/'])('under %s has no byte of the plaintext, and says what it is', async (prefix) => {
    const body = Buffer.from('0123456789abcdef'.repeat(1000));
    const bytes = await dropped(`${prefix}secret.txt`, body);
    expect(bytes.includes('0123456789')).toBe(false);
    const { contentEncoding } = await stored(`${prefix}secret.txt`);
    expect(contentEncoding).toBe(prefix === 'wrapped/' ? 'x-sealdrop-cse-aes' : 'x-sealdrop-cse-kms');
    const answer = await stack.get(`${prefix}secret.txt`);
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  });

  test('has the checksum of the plaintext told with the plaintext', async () => {
    await stack.drop('sealed/checksum', 'some bytes', { ChecksumAlgorithm: 'CRC64NVME' });
    await stack.settled();
    const answer = await stack.get('sealed/checksum');
    expect(answer.headers.get('x-amz-checksum-crc64nvme')).toMatch(/^[\w+/]{11}=$/);
    expect(answer.headers.get('x-amz-checksum-type')).toBe('FULL_OBJECT');
  });
});

describe('a ciphertext', () => {
  test('that was moved to another key does not open, and its reads are recorded by name', async () => {
    const bytes = await dropped('sealed/a', randomBytes(1000));
    await plant('sealed/b', bytes);
    for (const headers of [{}, { range: 'bytes=0-9' }]) expect(await refused('sealed/b', headers)).toEqual(INVALID);
    const events = await stack.history('sealed/b');
    expect(events).toEqual(
      expect.arrayContaining([expect.objectContaining({ action: 'ObjectDownloaded', outcome: 'failure', code: 'ciphertext-invalid' })]),
    );
  });

  test('that shares its data key was moved to another key: nothing is recorded of it there, and it does not open', async () => {
    const bytes = await dropped('shared-key/a', randomBytes(1000));
    await dropped('shared-key/b', randomBytes(1000));
    await plant('shared-key/b', bytes);
    expect(await refused('shared-key/b')).toEqual({ status: 503, code: 'record-missing' });
    expect((await stack.get('shared-key/b', { method: 'HEAD' })).status).toBe(503);
  });

  test('that was cut between two frames is refused before a byte, by whole, range and HEAD', async () => {
    const bytes = await dropped('sealed/cut', randomBytes(3 * MIB));
    const frame = MIB + 32;
    const header = bytes.length - 3 * frame - 40;
    await plant('sealed/cut', bytes.subarray(0, header + 2 * frame));
    for (const headers of [{}, { range: 'bytes=0-9' }]) expect(await refused('sealed/cut', headers)).toEqual(INVALID);
    expect((await stack.get('sealed/cut', { method: 'HEAD' })).status).toBe(502);
  });

  test('with a changed bit is another version than was recorded, and is refused before a byte', async () => {
    const bytes = await dropped('sealed/bit', randomBytes(3 * MIB));
    const at = bytes.length - 2 * MIB;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await plant('sealed/bit', bytes);
    for (const headers of [{}, { range: 'bytes=0-9' }]) expect(await refused('sealed/bit', headers)).toEqual(INVALID);
    expect((await stack.get('sealed/bit', { method: 'HEAD' })).status).toBe(502);
  });

  test('of an older version that was brought back is refused', async () => {
    await dropped('sealed/balance', Buffer.from('1000000'));
    const { VersionId } = await stack.s3.send(new HeadObjectCommand({ Bucket: stack.targetBucket, Key: 'sealed/balance' }));
    await dropped('sealed/balance', Buffer.from('5'));
    const CopySource = `${stack.targetBucket}/sealed/balance?versionId=${VersionId}`;
    const how = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stack.env.SEALDROP_KMS_KEY_ARN, BucketKeyEnabled: true } as const;
    await stack.s3.send(new CopyObjectCommand({ Bucket: stack.targetBucket, Key: 'sealed/balance', CopySource, ...how }));
    expect(await refused('sealed/balance')).toEqual(INVALID);
    // The version itself is what it was.
    const old = await stack.api(`/object?key=sealed/balance&versionId=${VersionId}`);
    expect(await old.text()).toBe('1000000');
  });

  test.each(['sealed/never', 'sealed/just-now'])('has plain bytes in its place that say nothing of it: %s is refused', async (key) => {
    if (key === 'sealed/just-now') await dropped(key, randomBytes(100));
    const how = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: stack.env.SEALDROP_KMS_KEY_ARN, BucketKeyEnabled: true } as const;
    await stack.s3.send(new PutObjectCommand({ Bucket: stack.targetBucket, Key: key, Body: 'put in its place', ...how }));
    const { code } = await refused(key);
    expect(code).toBe(key === 'sealed/never' ? 'ciphertext-invalid' : 'record-missing');
  });

  test.each([
    ['plaintext in its place', () => randomBytes(5000)],
    ['nothing in its place', () => Buffer.alloc(0)],
    ['something behind it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
    ['itself behind it', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
  ])('with %s is refused by name', async (what, change) => {
    const key = `sealed/${what}`;
    await plant(key, change(await dropped(key, randomBytes(100))));
    for (const headers of [{}, { range: 'bytes=0-9' }]) {
      const { status, code } = await refused(key, headers).catch(() => ({ status: 200, code: 'broken off' }));
      expect([502, 200]).toContain(status);
      expect(['ciphertext-invalid', 'broken off']).toContain(code);
    }
    const { whole, status } = await fetched(key);
    expect(status === 200 && whole).toBe(false);
  });
});

test('an application may use such a Content-Encoding for itself, under a mode of S3', async () => {
  await stack.drop('s3/own', 'own bytes', { ContentEncoding: 'x-sealdrop-cse-kms' });
  await stack.settled();
  const answer = await stack.get('s3/own');
  expect([answer.status, answer.headers.get('content-encoding'), answer.headers.get('x-sealdrop-encryption')]).toEqual([
    200,
    'x-sealdrop-cse-kms',
    'sse-s3',
  ]);
  expect(await answer.text()).toBe('own bytes');
});

test('what is larger than its rule takes is a dead letter by name, and nothing is stored', async () => {
  await stack.drop('sealed/large', randomBytes(24 * MIB + 1));
  const [letter] = await stack.takeDeadLetters(1);
  expect(letter?.MessageAttributes?.code?.StringValue).toBe('too-large-for-rule');
  expect((await stack.get('sealed/large')).status).toBe(404);
});

test('a disabled key shuts what it sealed, at once, and opens it again when it is enabled', async () => {
  const body = randomBytes(2 * MIB);
  await dropped('sealed/key', body);
  await (await stack.get('sealed/key', { headers: { range: 'bytes=0-9' } })).arrayBuffer();
  const KeyId = stack.env.SEALDROP_KMS_KEY_ARN;
  await stack.kms.send(new DisableKeyCommand({ KeyId }));
  try {
    expect(await refused('sealed/key')).toEqual({ status: 503, code: 'kms-key-disabled' });
    expect(await refused('sealed/key', { range: 'bytes=0-9' })).toEqual({ status: 503, code: 'kms-key-disabled' });
  } finally {
    await stack.kms.send(new EnableKeyCommand({ KeyId }));
  }
  expect((await fetched('sealed/key')).bytes.equals(body)).toBe(true);
});
