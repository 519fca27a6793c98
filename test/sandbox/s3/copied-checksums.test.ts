/** The checksum of an object that was assembled of copied parts. */
import { createHash } from 'node:crypto';
import { CreateMultipartUploadCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHECKSUMS } from '../../../sandbox/s3/checksum/algorithm.ts';
import { BODY, bytes, Key, openPartCopyBench, type PartCopyBench, SOURCE } from './part-copy-bench.ts';
import { BUCKET as Bucket, refusal } from './sandbox.ts';

let bench: PartCopyBench;
beforeAll(async () => {
  bench = await openPartCopyBench();
  await bench.putSource(SOURCE, BODY);
});
afterAll(async () => {
  expect(bench.sandbox.defects).toEqual([]);
  await bench.sandbox[Symbol.asyncDispose]();
});

const RANGES = [bytes(0, 299_999), bytes(300_000, 699_999), bytes(700_000, 700_000)];
const digest = (algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME', body: Buffer) => {
  const state = CHECKSUMS[algorithm].start();
  state.update(body);
  return state.digest().toString('base64');
};
const prepare = async (ChecksumAlgorithm: string, ChecksumType = 'FULL_OBJECT') => {
  const id = await bench.begin({ ChecksumAlgorithm, ChecksumType });
  const copied = await Promise.all(RANGES.map((range, index) => bench.copyPart(id, index + 1, range)));
  const Parts = copied.map(({ CopyPartResult }, index) => {
    const { LastModified, ...rest } = CopyPartResult ?? {};
    return { PartNumber: index + 1, ...rest };
  });
  return { id, Parts };
};

test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
  '%s follows from the copied parts, and is compared with what is claimed',
  async (algorithm) => {
    const { id, Parts } = await prepare(algorithm);
    const field = `Checksum${algorithm}`;
    const bare = Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    const whole = { [field]: digest(algorithm, BODY), ChecksumType: 'FULL_OBJECT', MpuObjectSize: BODY.length };
    const etag = (await bench.sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'before' }))).ETag;
    const wrong: [object, string][] = [
      [{ ...whole, [field]: digest(algorithm, BODY.subarray(1)) }, '400 BadDigest'],
      [{ ...whole, [field]: 'bm90IGEgc3Vt' }, '400 InvalidRequest'],
      [{ ...whole, ChecksumType: 'COMPOSITE' }, '400 InvalidRequest'],
      [{ ...whole, MpuObjectSize: BODY.length - 1 }, '400 InvalidRequest'],
      [{ ChecksumSHA256: createHash('sha256').update(BODY).digest('base64') }, '400 InvalidRequest'],
      [{ ...whole, ChecksumSHA1: createHash('sha1').update(BODY).digest('base64') }, '400 InvalidRequest'],
    ];
    for (const [claim, answer] of wrong) expect((await refusal(bench.complete(id, bare, claim))).answer).toBe(answer);
    const twisted = Parts.map((part) => ({ ...part, [field]: Object.entries(Parts[0] ?? {}).find(([name]) => name === field)?.[1] }));
    expect((await refusal(bench.complete(id, twisted, whole))).answer).toBe('400 InvalidPart');
    const other = { ChecksumSHA256: createHash('sha256').update(BODY).digest('base64') };
    expect((await refusal(bench.complete(id, bare, other))).message).toBe(
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: sha256`,
    );
    expect((await bench.read()).ETag).toBe(etag);

    const done = await bench.complete(id, bare, whole);
    expect(done).toMatchObject({ [field]: digest(algorithm, BODY), ChecksumType: 'FULL_OBJECT' });
    const head = await bench.sandbox.client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ [field]: digest(algorithm, BODY), ChecksumType: 'FULL_OBJECT' });
    expect(head.PartsCount).toBeUndefined();
  },
);

test('COMPOSITE is that of the parts’ checksums', async () => {
  const { id, Parts } = await prepare('CRC32', 'COMPOSITE');
  const done = await bench.complete(id, Parts, { MpuObjectSize: BODY.length });
  expect([done.ChecksumType, done.ChecksumCRC32?.endsWith('-3')]).toEqual(['COMPOSITE', true]);
});

test('without an algorithm is CRC64NVME of the bytes; the parts tell none', async () => {
  const client = bench.sandbox.connect({ requestChecksumCalculation: 'WHEN_REQUIRED' });
  const { UploadId: id } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const { CopyPartResult } = await bench.copyPart(id, 1, bytes(0, 99_999));
  expect(Object.keys(CopyPartResult ?? {}).sort()).toEqual(['ETag', 'LastModified']);
  const done = await bench.complete(id, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
  expect(done).toMatchObject({ ChecksumCRC64NVME: digest('CRC64NVME', BODY.subarray(0, 100_000)), ChecksumType: 'FULL_OBJECT' });
});
