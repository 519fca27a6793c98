/** Multipart uploads whose parts are copied: UploadPartCopy. */
import { randomBytes } from 'node:crypto';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, copySourceKey, customerKey, openSandbox, refusal, type Sandbox, sample, VERSIONED } from './sandbox.ts';

const MIN = 1000;
const LARGEST = 400_000;
const Key = 'assembled';
const SOURCE = 'a source/é+1';
const CopySource = `${Bucket}/${encodeURIComponent(SOURCE)}`;
const KEY = randomBytes(32);
/** Larger than what is handled in one piece. */
const BODY = sample(700_001);
let sandbox: Sandbox;
let sourceEtag: string | undefined;
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { minPartBytes: MIN, minRangeSourceBytes: MIN, maxPutBytes: LARGEST, maxParts: 10 } });
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});
beforeEach(async () => {
  sourceEtag = await putSource(SOURCE, BODY);
});

/** In parts, as such a source was made. */
async function putSource(name: string, body: Buffer, extra: object = {}): Promise<string | undefined> {
  const at = { Bucket, Key: name };
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ ...at, ...extra }));
  const Parts: CompletedPart[] = [];
  for (let offset = 0; offset < body.length; offset += LARGEST) {
    const part = { ...at, UploadId, PartNumber: Parts.length + 1, Body: body.subarray(offset, offset + LARGEST), ...extra };
    Parts.push({ PartNumber: Parts.length + 1, ETag: (await sandbox.client.send(new UploadPartCommand(part))).ETag });
  }
  const done = await sandbox.client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, ...extra }));
  return done.ETag;
}

const begin = async (extra: object = {}) => {
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...extra }));
  return UploadId;
};
const copyPart = (UploadId: string | undefined, PartNumber: number, extra: object = {}) =>
  sandbox.client.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, ...extra }));
const bytes = (first: number, last: number) => ({ CopySourceRange: `bytes=${first}-${last}` });
const complete = (UploadId: string | undefined, Parts: CompletedPart[], extra: object = {}) =>
  sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...extra }));
const read = async (extra: object = {}) => {
  const { Body, ...rest } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), ...rest };
};

const MODES: [string, object, object][] = [
  ['SSE-S3', {}, { ServerSideEncryption: 'AES256' }],
  ['SSE-KMS', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: false }, { ServerSideEncryption: 'aws:kms' }],
  [
    'SSE-KMS with a bucket key',
    { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true },
    { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true },
  ],
  ['DSSE-KMS', { ServerSideEncryption: 'aws:kms:dsse' }, { ServerSideEncryption: 'aws:kms:dsse' }],
  ['SSE-C', customerKey(KEY), { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: customerKey(KEY).SSECustomerKeyMD5 }],
];

test.each(MODES)('assembles an object under %s from ranges that are copied at once, in any order', async (mode, encryption, answered) => {
  const extra = mode === 'SSE-C' ? customerKey(KEY) : {};
  const id = await begin({ ...encryption, ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT', ContentType: 'text/plain' });
  const ranges: [number, number][] = [
    [0, 299_999],
    [300_000, 699_999],
    [700_000, 700_000],
  ];
  const results = await Promise.all(
    ranges
      .map(([first, last], index) => copyPart(id, index + 1, { ...bytes(first, last), CopySourceIfMatch: sourceEtag, ...extra }))
      .reverse(),
  );
  const Parts = results.reverse().map(({ CopyPartResult }, index) => ({ PartNumber: index + 1, ETag: CopyPartResult?.ETag }));
  for (const result of results) {
    expect(result).toMatchObject(answered);
    expect(result.CopyPartResult?.ChecksumCRC64NVME).toMatch(/^[\w+/]{11}=$/);
    expect(result.CopyPartResult?.LastModified).toBeInstanceOf(Date);
    if (mode.includes('KMS')) expect(result.SSEKMSKeyId).toMatch(/^arn:aws:kms:/);
    if (!mode.includes('bucket key')) expect(result.BucketKeyEnabled).toBeUndefined();
  }
  await complete(id, Parts);
  const got = await read(extra);
  expect(got.bytes.equals(BODY)).toBe(true);
  expect(got).toMatchObject({ ...answered, ContentType: 'text/plain' });
});
