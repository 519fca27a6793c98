import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, CHECKSUMS } from '../../../sandbox/s3/checksum/algorithm.ts';
import { crc32c } from '../../../sandbox/s3/checksum/crc32c.ts';
import { crc64nvme } from '../../../sandbox/s3/checksum/crc64nvme.ts';
import { BUCKET as Bucket, md5Base64, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';

let sandbox: Sandbox;
const Key = 'summed';
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { minPartBytes: 100 } });
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const digest = (algorithm: (typeof CHECKSUM_ALGORITHMS)[number], bytes: Buffer) => {
  const state = CHECKSUMS[algorithm].start();
  state.update(bytes);
  return state.digest().toString('base64');
};
const head = () => sandbox.client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
const plain = () => sandbox.connect({ requestChecksumCalculation: 'WHEN_REQUIRED' });

describe('the algorithms', () => {
  test('give the check values of their specifications', () => {
    const check = Buffer.from('123456789');
    expect(crc32c(check).toString(16)).toBe('e3069283');
    expect(crc64nvme(check).toString(16)).toBe('ae8b14860a799888');
  });

  test.each(CHECKSUM_ALGORITHMS)('%s is the same whole and in pieces of any length', (algorithm) => {
    const bytes = sample(1000);
    for (const size of [1, 7, 8, 9, 64, 999]) {
      const state = CHECKSUMS[algorithm].start();
      for (let at = 0; at < bytes.length; at += size) state.update(bytes.subarray(at, at + size));
      expect(state.digest().toString('base64')).toBe(digest(algorithm, bytes));
    }
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s of a whole follows from those of its parts', (algorithm) => {
    const bytes = sample(5000, 9);
    const of = (part: Buffer) => Buffer.from(digest(algorithm, part), 'base64');
    for (const cut of [0, 1, 7, 2500, 4999, 5000]) {
      const combined = CHECKSUMS[algorithm].combine?.(of(bytes.subarray(0, cut)), of(bytes.subarray(cut)), bytes.length - cut);
      expect(combined?.toString('base64')).toBe(digest(algorithm, bytes));
    }
  });
});

describe.each(CHECKSUM_ALGORITHMS)('%s', (algorithm) => {
  const Body = sample(1000, 21);
  const field = `Checksum${algorithm}` as const;

  test('is verified from the SDK’s own framing, kept and given back', async () => {
    const put = await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: algorithm }));
    expect([put[field], put.ChecksumType]).toEqual([digest(algorithm, Body), 'FULL_OBJECT']);
    expect(await head()).toMatchObject({ [field]: digest(algorithm, Body), ChecksumType: 'FULL_OBJECT' });
    const without = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(without[field]).toBeUndefined();
  });

  test('that is wrong is a BadDigest, malformed an InvalidRequest; nothing is stored', async () => {
    const put = (value: string) => sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'refused', Body, [field]: value }));
    const { answer, message } = await refusal(put(digest(algorithm, Buffer.from('other'))));
    expect([answer, message]).toEqual(['400 BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`]);
    expect((await refusal(put('bm90IGEgc3Vt'))).message).toBe(`Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
    expect((await refusal(sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'refused' })))).answer).toBe('404 NoSuchKey');
  });

  test('of a stream follows in the trailer', async () => {
    const bytes = sample(400_000, 22);
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
    }
    const { Readable } = await import('node:stream');
    const put = await sandbox.client.send(
      new PutObjectCommand({ Bucket, Key, Body: Readable.from(chunks()), ContentLength: bytes.length, ChecksumAlgorithm: algorithm }),
    );
    expect(put[field]).toBe(digest(algorithm, bytes));
  });
});

test('what is put without a checksum gets CRC64NVME', async () => {
  const put = await plain().send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }));
  expect(put.ChecksumCRC64NVME).toBe(digest('CRC64NVME', Buffer.from('hello')));
  expect(await head()).toMatchObject({ ChecksumCRC64NVME: put.ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT' });
});

test('Content-MD5 is verified', async () => {
  const put = (ContentMD5: string) => plain().send(new PutObjectCommand({ Bucket, Key: 'md5', Body: 'hello', ContentMD5 }));
  expect((await refusal(put(md5Base64('other')))).answer).toBe('400 BadDigest');
  expect((await refusal(put('000'))).answer).toBe('400 InvalidDigest');
  await put(md5Base64('hello'));
});

test('two checksums, unknown and new ones are refused', async () => {
  const put = (headers: Record<string, string>) =>
    refusal(sandbox.adding(headers).send(new PutObjectCommand({ Bucket, Key, Body: 'x', ChecksumCRC32: 'jNbn2g==' })));
  expect((await put({ 'x-amz-checksum-sha256': digest('SHA256', Buffer.from('x')) })).message).toMatch(
    /^Expecting a single x-amz-checksum- header/,
  );
  expect((await put({ 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' })).answer).toBe('501 NotImplemented');
});

describe('of multipart uploads', () => {
  const bodies = [sample(100, 31), sample(150, 32), sample(3, 33)];
  const whole = Buffer.concat(bodies);

  async function upload(algorithm: ChecksumAlgorithm | undefined, type?: ChecksumType) {
    const client = algorithm ? sandbox.client : plain();
    const chosen = { ...(algorithm ? { ChecksumAlgorithm: algorithm } : {}), ...(type ? { ChecksumType: type } : {}) };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...chosen }));
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const sent = { Bucket, Key, UploadId, PartNumber: index + 1, Body, ...(algorithm ? { ChecksumAlgorithm: algorithm } : {}) };
      const { $metadata, ServerSideEncryption, ...part } = await client.send(new UploadPartCommand(sent));
      Parts.push({ PartNumber: index + 1, ...part });
    }
    const send = (parts: object[], extra: object = {}) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts }, ...extra }));
    return { Parts, send };
  }

  test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('FULL_OBJECT %s is that of the bytes', async (algorithm) => {
    const { Parts, send } = await upload(algorithm, 'FULL_OBJECT');
    const done = await send(Parts);
    expect(done).toMatchObject({ [`Checksum${algorithm}`]: digest(algorithm, whole), ChecksumType: 'FULL_OBJECT' });
    expect(await head()).toMatchObject({ [`Checksum${algorithm}`]: digest(algorithm, whole) });
  });

  test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    'COMPOSITE %s, the default, is that of the parts’ checksums',
    async (algorithm) => {
      const { Parts, send } = await upload(algorithm);
      const done = await send(Parts);
      const sums = Buffer.concat(bodies.map((body) => Buffer.from(digest(algorithm, body), 'base64')));
      expect(done).toMatchObject({ [`Checksum${algorithm}`]: `${digest(algorithm, sums)}-3`, ChecksumType: 'COMPOSITE' });
    },
  );

  test('without an algorithm become CRC64NVME of the bytes', async () => {
    const { Parts, send } = await upload(undefined);
    expect(await send(Parts)).toMatchObject({ ChecksumCRC64NVME: digest('CRC64NVME', whole), ChecksumType: 'FULL_OBJECT' });
  });

  test('COMPOSITE needs the checksum of every part, the right one', async () => {
    const { Parts, send } = await upload('SHA256');
    const bare = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    expect((await refusal(send(bare))).message).toMatch(
      /^The upload was created using a sha256 checksum.*missing for part 1 in the request\.$/,
    );
    const wrong = Parts.map((part) => ({ ...part, ChecksumSHA256: digest('SHA256', Buffer.from('other')) }));
    expect((await refusal(send(wrong))).answer).toBe('400 InvalidPart');
    expect((await refusal(send(Parts, { ChecksumType: 'FULL_OBJECT' }))).message).toMatch(/created using the COMPOSITE checksum mode/);
    await send(Parts);
  });

  test('a claim for the whole is verified', async () => {
    const { Parts, send } = await upload('CRC32', 'FULL_OBJECT');
    const claim = (value: number) => ({ ChecksumCRC32: Buffer.from(value.toString(16).padStart(8, '0'), 'hex').toString('base64') });
    expect((await refusal(send(Parts, claim(1)))).message).toBe('The crc32 you specified did not match the calculated checksum.');
    await send(Parts, claim(crc32(whole)));
  });

  test('parts have the algorithm of the upload; types and algorithms must go together', async () => {
    const create = (ChecksumAlgorithm: ChecksumAlgorithm, ChecksumType: ChecksumType) =>
      sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm, ChecksumType }));
    expect((await refusal(create('SHA256', 'FULL_OBJECT'))).answer).toBe('400 InvalidRequest');
    expect((await refusal(create('CRC64NVME', 'COMPOSITE'))).answer).toBe('400 InvalidRequest');
    const { UploadId } = await create('SHA256', 'COMPOSITE');
    const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x', ChecksumAlgorithm: 'CRC32' });
    expect((await refusal(sandbox.client.send(part))).message).toBe(
      'Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32',
    );
  });
});

test('SHA-256 here is what node:crypto says', () => {
  expect(digest('SHA256', Buffer.from('x'))).toBe(createHash('sha256').update('x').digest('base64'));
});
