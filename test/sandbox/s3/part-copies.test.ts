/** UploadPartCopy. */
import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, ListPartsCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BODY, bytes, Key, LARGEST, MAX_PARTS, MIN, openPartCopyBench, type PartCopyBench, SOURCE } from './part-copy-bench.ts';
import { BUCKET as Bucket, copySourceKey, customerKey, md5Hex, refusal, sample, VERSIONED } from './sandbox.ts';

const KEY = randomBytes(32);
let bench: PartCopyBench;
let sourceEtag: string | undefined;
beforeAll(async () => {
  bench = await openPartCopyBench();
});
afterAll(async () => {
  expect(bench.sandbox.defects).toEqual([]);
  await bench.sandbox[Symbol.asyncDispose]();
});
beforeEach(async () => {
  sourceEtag = await bench.putSource(SOURCE, BODY);
});

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
  const id = await bench.begin({ ...encryption, ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT', ContentType: 'text/plain' });
  const ranges: [number, number][] = [
    [0, 299_999],
    [300_000, 699_999],
    [700_000, 700_000],
  ];
  const results = await Promise.all(
    ranges
      .map(([first, last], index) => bench.copyPart(id, index + 1, { ...bytes(first, last), CopySourceIfMatch: sourceEtag, ...extra }))
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
  await bench.complete(id, Parts, extra);
  const got = await bench.read(extra);
  expect(got.bytes.equals(BODY)).toBe(true);
  expect(got).toMatchObject({ ...answered, ContentType: 'text/plain' });
});

test('copies the whole source without a range, up to the largest part', async () => {
  const small = { CopySource: `${Bucket}/small` };
  await bench.sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'small', Body: sample(LARGEST) }));
  const id = await bench.begin();
  const { CopyPartResult } = await bench.copyPart(id, 1, small);
  expect(CopyPartResult?.ETag).toBe(`"${md5Hex(sample(LARGEST))}"`);
  await bench.complete(id, [{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
  expect((await bench.read()).bytes.equals(sample(LARGEST))).toBe(true);
  expect(await refusal(bench.copyPart(await bench.begin(), 1))).toMatchObject({
    answer: '400 InvalidRequest',
    message: `The specified copy source is larger than the maximum allowable size for a copy source: ${LARGEST}`,
  });
  expect((await refusal(bench.copyPart(await bench.begin(), 1, bytes(0, LARGEST)))).answer).toBe('400 InvalidRequest');
});

describe('the range', () => {
  const SIZE = BODY.length;
  const FORM =
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy';
  const OUTSIDE = 'The specified copy range is invalid for the source object size';
  const TOO_LONG = `Range specified is not valid for source object of size: ${SIZE}`;
  // Around the cipher's blocks, the seam between the source's parts, and the end.
  test.each([
    [0, 0],
    [15, 17],
    [LARGEST - 1, LARGEST - 1],
    [LARGEST - 1, LARGEST],
    [LARGEST, LARGEST + 299_999],
    [SIZE - 2, SIZE - 1],
    [SIZE - 1, SIZE - 1],
    [1, 300_001],
  ])('bytes=%i-%i', async (first, last) => {
    const id = await bench.begin();
    const { CopyPartResult } = await bench.copyPart(id, 1, bytes(first, last));
    expect(CopyPartResult?.ETag).toBe(`"${md5Hex(BODY.subarray(first, last + 1))}"`);
    const { Parts } = await bench.sandbox.client.send(new ListPartsCommand({ Bucket, Key, UploadId: id }));
    expect(Parts?.map(({ Size }) => Size)).toEqual([last - first + 1]);
  });

  test.each([
    [`bytes=0-${SIZE}`, 'InvalidArgument', TOO_LONG],
    [`bytes=${SIZE - 1}-${SIZE}`, 'InvalidArgument', TOO_LONG],
    [`bytes=${SIZE}-${SIZE}`, 'InvalidRequest', OUTSIDE],
    [`bytes=${SIZE + 5}-${SIZE + 9}`, 'InvalidRequest', OUTSIDE],
    ['bytes=9-8', 'InvalidArgument', FORM],
    ['bytes=9-', 'InvalidArgument', FORM],
    ['bytes=-9', 'InvalidArgument', FORM],
    ['bytes=0-1,3-4', 'InvalidArgument', FORM],
    ['bytes=a-b', 'InvalidArgument', FORM],
    ['0-9', 'InvalidArgument', FORM],
  ])('%s is refused', async (CopySourceRange, code, message) => {
    const refused = await refusal(bench.copyPart(await bench.begin(), 1, { CopySourceRange }));
    expect(refused).toMatchObject({ answer: `400 ${code}`, message });
    if (code === 'InvalidArgument')
      expect(refused.detail).toMatchObject({ ArgumentName: 'x-amz-copy-source-range', ArgumentValue: CopySourceRange });
  });

  test.each([
    [MIN, '400 InvalidRequest'],
    [MIN + 1, 'copied'],
  ])('of a source of %i bytes: %s', async (size, expected) => {
    await bench.sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'least', Body: sample(size) }));
    const copied = bench.copyPart(await bench.begin(), 1, { CopySource: `${Bucket}/least`, ...bytes(0, 0) });
    expect(expected === 'copied' ? (await copied).CopyPartResult?.ETag : (await refusal(copied)).answer).toBe(
      expected === 'copied' ? `"${md5Hex(sample(1))}"` : expected,
    );
  });
});

describe('the source', () => {
  test.each([
    ['CopySourceIfMatch', () => ({ CopySourceIfMatch: '"0"' }), 'x-amz-copy-source-If-Match'],
    ['CopySourceIfNoneMatch', () => ({ CopySourceIfNoneMatch: sourceEtag }), 'x-amz-copy-source-If-None-Match'],
    [
      'CopySourceIfUnmodifiedSince',
      () => ({ CopySourceIfUnmodifiedSince: new Date('2019-01-01') }),
      'x-amz-copy-source-If-Unmodified-Since',
    ],
    ['CopySourceIfModifiedSince', () => ({ CopySourceIfModifiedSince: new Date() }), 'x-amz-copy-source-If-Modified-Since'],
  ])('%s that does not hold is a 412 that names it', async (_name, condition, named) => {
    const { answer, detail } = await refusal(bench.copyPart(await bench.begin(), 1, { ...bytes(0, 9), ...condition() }));
    expect([answer, detail.Condition]).toEqual(['412 PreconditionFailed', named]);
  });

  test('that was changed between two parts is noticed by its ETag', async () => {
    const id = await bench.begin();
    const pinned = { CopySourceIfMatch: sourceEtag };
    await bench.copyPart(id, 1, { ...bytes(0, 299_999), ...pinned });
    await bench.putSource(SOURCE, sample(700_001, 2));
    expect((await refusal(bench.copyPart(id, 2, { ...bytes(300_000, 400_000), ...pinned }))).answer).toBe('412 PreconditionFailed');
  });

  test('that is replaced and deleted while parts are copied stays what it was', async () => {
    const id = await bench.begin();
    const copying = bench.copyPart(id, 1, { ...bytes(0, LARGEST - 1), CopySourceIfMatch: sourceEtag });
    const removed = bench.sandbox.client.send(new DeleteObjectCommand({ Bucket, Key: SOURCE }));
    const [result] = await Promise.allSettled([copying, removed]);
    // The deletion may come first: then it is a refusal, never other bytes.
    if (result?.status === 'fulfilled') expect(result.value.CopyPartResult?.ETag).toBe(`"${md5Hex(BODY.subarray(0, LARGEST))}"`);
    else expect(result?.reason.name).toBe('NoSuchKey');
  });

  test('of a version is that version, also below a newer one, and is named in the answer', async () => {
    const source = { Bucket: VERSIONED, Key: 'source' };
    const { VersionId } = await bench.sandbox.client.send(new PutObjectCommand({ ...source, Body: 'old' }));
    await bench.sandbox.client.send(new PutObjectCommand({ ...source, Body: 'new' }));
    const copied = await bench.copyPart(await bench.begin(), 1, { CopySource: `${VERSIONED}/source?versionId=${VersionId}` });
    expect([copied.CopyPartResult?.ETag, copied.CopySourceVersionId]).toEqual([`"${md5Hex('old')}"`, VersionId]);
    await bench.sandbox.client.send(new DeleteObjectCommand(source));
    expect((await refusal(bench.copyPart(await bench.begin(), 1, { CopySource: `${VERSIONED}/source` }))).answer).toBe('404 NoSuchKey');
  });

  test('under SSE-C needs its own key', async () => {
    const other = randomBytes(32);
    await bench.putSource('under a key', BODY, customerKey(other));
    const id = await bench.begin(customerKey(KEY));
    const from = { CopySource: `${Bucket}/under%20a%20key`, ...bytes(0, 9), ...customerKey(KEY) };
    await bench.copyPart(id, 1, { ...from, ...copySourceKey(other) });
    expect((await refusal(bench.copyPart(id, 1, from))).answer).toBe('400 InvalidRequest');
    expect((await refusal(bench.copyPart(id, 1, { ...from, ...copySourceKey(KEY) }))).answer).toBe('403 AccessDenied');
  });
});

describe('an upload under SSE-C', () => {
  const OTHER = randomBytes(32);

  test('takes its own key with every part, and no other', async () => {
    const id = await bench.begin(customerKey(KEY));
    const range = bytes(0, 9);
    expect((await refusal(bench.copyPart(id, 1, range))).answer).toBe('400 InvalidRequest');
    expect((await refusal(bench.copyPart(id, 1, { ...range, ...customerKey(OTHER) }))).answer).toBe('400 InvalidRequest');
    expect((await refusal(bench.copyPart(await bench.begin(), 1, { ...range, ...customerKey(KEY) }))).answer).toBe('400 InvalidRequest');
  });

  test('with a checksum needs the key for ListParts and the completion too; without, neither', async () => {
    const plain = await bench.begin(customerKey(KEY));
    const list = (UploadId: string | undefined, extra: object = {}) =>
      bench.sandbox.client.send(new ListPartsCommand({ Bucket, Key, UploadId, ...extra }));
    const copied = async (id: string | undefined) => {
      const { CopyPartResult } = await bench.copyPart(id, 1, { ...bytes(0, 9), ...customerKey(KEY) });
      return [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    };
    const plainParts = await copied(plain);
    expect((await list(plain)).Parts).toHaveLength(1);
    await bench.complete(plain, plainParts);

    const summed = await bench.begin({ ...customerKey(KEY), ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' });
    const Parts = await copied(summed);
    for (const extra of [{}, customerKey(OTHER)]) {
      expect((await refusal(list(summed, extra))).answer).toBe('400 InvalidRequest');
      expect((await refusal(bench.complete(summed, Parts, extra))).answer).toBe('400 InvalidRequest');
    }
    expect((await list(summed, customerKey(KEY))).Parts?.[0]?.ChecksumCRC64NVME).toBeDefined();
    await bench.complete(summed, Parts, customerKey(KEY));
  });
});

describe('a part', () => {
  test('can be replaced, by a copy or by bytes; the last one counts', async () => {
    const id = await bench.begin();
    await bench.copyPart(id, 1, bytes(0, MIN));
    await bench.sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId: id, PartNumber: 1, Body: sample(MIN, 9) }));
    const { CopyPartResult } = await bench.copyPart(id, 1, bytes(5, MIN + 5));
    const tail = await bench.sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId: id, PartNumber: 3, Body: 'tail' }));
    await bench.complete(id, [
      { PartNumber: 1, ETag: CopyPartResult?.ETag },
      { PartNumber: 3, ETag: tail.ETag },
    ]);
    expect((await bench.read()).bytes.equals(Buffer.concat([BODY.subarray(5, MIN + 6), Buffer.from('tail')]))).toBe(true);
  });

  test('that is too small is noticed at the end, unless it is the last', async () => {
    const id = await bench.begin();
    const small = { PartNumber: 1, ETag: (await bench.copyPart(id, 1, bytes(0, MIN - 2))).CopyPartResult?.ETag };
    const last = { PartNumber: 2, ETag: (await bench.copyPart(id, 2, bytes(0, 0))).CopyPartResult?.ETag };
    const { answer, detail } = await refusal(bench.complete(id, [small, last]));
    expect([answer, detail.PartNumber]).toEqual(['400 EntityTooSmall', '1']);
    await bench.complete(id, [small]);
  });

  test.each([0, MAX_PARTS + 1, 'x'])('has no number %s', async (number) => {
    const refused = await refusal(bench.copyPart(await bench.begin(), Number(number), bytes(0, 9)));
    expect(refused.answer).toBe('400 InvalidArgument');
  });

  test('of an upload that is gone is a 404', async () => {
    expect((await refusal(bench.copyPart('none', 1, bytes(0, 9)))).answer).toBe('404 NoSuchUpload');
  });
});
