/** One contract for every mode: what is put comes back, and every answer says how it is stored. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type ServerSideEncryption,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, copySourceKey, customerKey, md5Hex, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';

const KEY = randomBytes(32);
let sandbox: Sandbox;
let keyArn = '';
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { minPartBytes: 1024 } });
  keyArn = sandbox.kms.requireUsable('alias/aws/s3');
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

interface ModeCase {
  name: string;
  write: { ServerSideEncryption?: ServerSideEncryption; BucketKeyEnabled?: boolean };
  /** SSE-C parameters of every call. */
  key: Partial<ReturnType<typeof customerKey>>;
  etagIsMd5: boolean;
}

const NOTHING = {
  ServerSideEncryption: undefined,
  SSEKMSKeyId: undefined,
  BucketKeyEnabled: undefined,
  SSECustomerAlgorithm: undefined,
  SSECustomerKeyMD5: undefined,
};
const MODES: ModeCase[] = [
  { name: 'sse-s3', write: {}, key: {}, etagIsMd5: true },
  { name: 'sse-kms', write: { ServerSideEncryption: 'aws:kms' }, key: {}, etagIsMd5: false },
  { name: 'sse-kms with a bucket key', write: { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true }, key: {}, etagIsMd5: false },
  { name: 'dsse-kms', write: { ServerSideEncryption: 'aws:kms:dsse' }, key: {}, etagIsMd5: false },
  { name: 'sse-c', write: {}, key: customerKey(KEY), etagIsMd5: false },
];

/** What answers say of the mode. */
function answerOf({ name }: ModeCase) {
  switch (name) {
    case 'sse-s3':
      return { ...NOTHING, ServerSideEncryption: 'AES256' };
    case 'sse-c':
      return { ...NOTHING, SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: customerKey(KEY).SSECustomerKeyMD5 };
    case 'dsse-kms':
      return { ...NOTHING, ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: keyArn };
    case 'sse-kms with a bucket key':
      return { ...NOTHING, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn, BucketKeyEnabled: true };
    default:
      return { ...NOTHING, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn };
  }
}

const said = (answer: object) => Object.fromEntries(Object.keys(NOTHING).map((name) => [name, (answer as Record<string, unknown>)[name]]));

describe.each(MODES)('$name', (mode) => {
  const { key, write } = mode;
  const read = async (Key: string, Range?: string) => {
    const { Body, ...rest } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key, ...key, ...(Range ? { Range } : {}) }));
    return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), ...rest };
  };

  test.each([0, 1, 16, 17, 300_000])('%i bytes: put, get, head', async (length) => {
    const Body = sample(length, 11);
    const Key = `${mode.name}/${length}`;
    const put = await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body, ...write, ...key }));
    expect(said(put)).toEqual(answerOf(mode));
    const got = await read(Key);
    expect(got.bytes.equals(Body)).toBe(true);
    expect(said(got)).toEqual(answerOf(mode));
    const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key, ...key }));
    expect(said(head)).toEqual(answerOf(mode));
    expect([head.ContentLength, head.ETag]).toEqual([length, put.ETag]);
    expect(put.ETag === `"${md5Hex(Body)}"`).toBe(mode.etagIsMd5);
    expect(put.ETag).toMatch(/^"[0-9a-f]{32}"$/);
  });

  test('ranges decrypt from any byte', async () => {
    const Body = sample(300_000, 13);
    const Key = `${mode.name}/ranged`;
    await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body, ...write, ...key }));
    for (const start of [0, 15, 16, 17, 1000, 299_983]) {
      expect((await read(Key, `bytes=${start}-${start + 16}`)).bytes.equals(Body.subarray(start, start + 17))).toBe(true);
    }
  });

  test('copies into it and out of it', async () => {
    const Body = sample(5000, 17);
    const Key = `${mode.name}/copied`;
    await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'plain source', Body }));
    const into = await sandbox.client.send(
      new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/plain%20source`, ...write, ...key }),
    );
    expect(said(into)).toEqual(answerOf(mode));
    expect((await read(Key)).bytes.equals(Body)).toBe(true);
    const sourceKey = mode.name === 'sse-c' ? copySourceKey(KEY) : {};
    const out = await sandbox.client.send(
      new CopyObjectCommand({ Bucket, Key: 'out', CopySource: `${Bucket}/${encodeURIComponent(Key)}`, ...sourceKey }),
    );
    expect(said(out)).toEqual({ ...NOTHING, ServerSideEncryption: 'AES256' });
    expect(out.CopyObjectResult?.ETag).toBe(`"${md5Hex(Body)}"`);
  });

  test('assembles parts', async () => {
    const Key = `${mode.name}/parts`;
    const parts = [sample(1024, 1), sample(300_001, 2), sample(7, 3)];
    const begun = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...write, ...key }));
    expect(said(begun)).toEqual(answerOf(mode));
    const Parts = [];
    for (const [index, Body] of parts.entries()) {
      const PartNumber = index + 1;
      const part = await sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId: begun.UploadId, PartNumber, Body, ...key }));
      expect(said(part)).toEqual(answerOf(mode));
      expect(part.ETag === `"${md5Hex(Body)}"`).toBe(mode.etagIsMd5);
      Parts.push({ PartNumber, ETag: part.ETag });
    }
    const done = await sandbox.client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId: begun.UploadId, MultipartUpload: { Parts } }),
    );
    expect(said(done)).toEqual(mode.name === 'sse-c' ? NOTHING : answerOf(mode));
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    const whole = Buffer.concat(parts);
    expect((await read(Key)).bytes.equals(whole)).toBe(true);
    expect((await read(Key, 'bytes=1000-301100')).bytes.equals(whole.subarray(1000, 301_032))).toBe(true);
  });

  test('reads name no encryption of their own', async () => {
    const Key = `${mode.name}/1`;
    const get = sandbox.adding({ 'x-amz-server-side-encryption': 'aws:kms' }).send(new GetObjectCommand({ Bucket, Key, ...key }));
    expect((await refusal(get)).answer).toBe('400 InvalidArgument');
  });
});
