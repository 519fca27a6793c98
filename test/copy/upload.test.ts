/** What an upload is asked to be, word by word, and what is read of one that is there. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  ListPartsCommand,
  type ListPartsCommandInput,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { SavedUpload } from '../../src/copy/copy-job.ts';
import { describeEncryption } from '../../src/encryption/index.ts';
import { headError, s3Error } from '../fixtures/aws.ts';
import {
  ENCRYPTIONS,
  ETAG,
  INGEST_BUCKET,
  INGEST_OWNER,
  KEY_BASE64,
  MODES,
  objectRef,
  STACK_KEY,
  VERSION_ID,
} from '../fixtures/objects.ts';
import { CRC, partsWorld, SIZE, TARGET } from './parts-mock.ts';

describe('a copy in parts', () => {
  it('ends the upload that a repeated request began without anybody knowing', async () => {
    const { s3, run, inputs } = partsWorld({ create: { $metadata: { attempts: 2 } } });
    const left = [TARGET.Key, TARGET.Key].map((Key, index) => ({ Key, UploadId: `upload-${index}` }));
    s3.on(ListMultipartUploadsCommand).resolvesOnce({}).resolves({ Uploads: left });
    await run();
    expect(inputs(AbortMultipartUploadCommand).map(({ UploadId }) => UploadId)).toEqual(['upload-0']);
  });

  it.each(MODES)('says all that the source has, and asks for %s in every word', async (mode) => {
    const { run, inputs, told } = partsWorld({}, mode);
    const { SSECustomerAlgorithm, SSECustomerKey, ...written } = {
      'sse-s3': { ServerSideEncryption: 'AES256' },
      'sse-kms': { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true },
      'dsse-kms': { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY },
      'sse-c': { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 },
    }[mode] as Record<string, unknown>;
    const key = mode === 'sse-c' ? { SSECustomerAlgorithm, SSECustomerKey } : {};
    await run();
    expect(inputs(HeadObjectCommand)).toEqual([
      {
        Bucket: INGEST_BUCKET,
        ExpectedBucketOwner: INGEST_OWNER,
        Key: TARGET.Key,
        VersionId: VERSION_ID,
        IfMatch: ETAG,
        ChecksumMode: 'ENABLED',
      },
    ]);
    expect(inputs(CreateMultipartUploadCommand)).toEqual([
      expect.objectContaining({
        ...TARGET,
        ContentType: 'text/plain',
        Metadata: { owner: 'pat' },
        Tagging: 'a%20b=%C3%A9%26',
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: 'CRC64NVME',
        ChecksumType: 'FULL_OBJECT',
        ...written,
        ...key,
      }),
    ]);
    expect(inputs(UploadPartCopyCommand)).toEqual(
      ['bytes=0-99', 'bytes=100-199', 'bytes=200-249'].map((CopySourceRange, index) => ({
        ...TARGET,
        UploadId: 'upload-1',
        PartNumber: index + 1,
        CopySource: `${INGEST_BUCKET}/reports/summary.txt?versionId=${VERSION_ID}`,
        CopySourceRange,
        CopySourceIfMatch: ETAG,
        ExpectedSourceBucketOwner: INGEST_OWNER,
        ...key,
      })),
    );
    expect(inputs(CompleteMultipartUploadCommand)).toEqual([
      {
        ...TARGET,
        UploadId: 'upload-1',
        MultipartUpload: { Parts: [1, 2, 3].map((PartNumber) => ({ PartNumber, ETag: `"part-${PartNumber}"` })) },
        MpuObjectSize: SIZE,
        ChecksumType: 'FULL_OBJECT',
        ChecksumCRC64NVME: CRC,
        IfNoneMatch: '*',
        ...key,
      },
    ]);
    expect(told).toEqual([{ uploadId: 'upload-1', partBytes: 100, encryption: describeEncryption(ENCRYPTIONS[mode]) }]);
  });

  it('gives what S3 says of the copy, and that its checksum is the source’s', async () => {
    expect(await partsWorld().run()).toEqual({
      etag: 'done-3',
      uploadId: 'upload-1',
      versionId: 'v1',
      checksum: { algorithm: 'CRC64NVME', value: CRC, type: 'FULL_OBJECT' },
      proof: 'checksum-compared',
    });
  });

  it('of a source without a checksum adds one, and claims no more than pinned parts', async () => {
    const { run, inputs } = partsWorld({ source: { ChecksumCRC64NVME: undefined, ChecksumType: undefined } });
    expect(await run()).toMatchObject({ checksum: { algorithm: 'CRC64NVME', value: CRC }, proof: 'parts-pinned' });
    expect(inputs(CompleteMultipartUploadCommand)[0]).not.toHaveProperty('ChecksumCRC64NVME');
  });

  it.each(['CRC32', 'CRC32C'] as const)('keeps %s of the whole object', async (algorithm) => {
    const source = { ChecksumCRC64NVME: undefined, [`Checksum${algorithm}`]: 'AAAAAA==' };
    const { run, inputs } = partsWorld({ source });
    expect(await run()).toMatchObject({ checksum: { algorithm, value: 'AAAAAA==' }, proof: 'checksum-compared' });
    expect(inputs(CreateMultipartUploadCommand)[0]).toMatchObject({ ChecksumAlgorithm: algorithm, ChecksumType: 'FULL_OBJECT' });
  });

  it('takes an ETag as condition where the target has one', async () => {
    const { run, inputs } = partsWorld();
    await run({}, { etag: 'old-1' });
    expect(inputs(CompleteMultipartUploadCommand)[0]).toMatchObject({ IfMatch: 'old-1' });
    expect(inputs(CompleteMultipartUploadCommand)[0]).not.toHaveProperty('IfNoneMatch');
  });

  it('of a source whose checksum is under a key that cannot be used is tried by one call, which names the key', async () => {
    const { run, s3, inputs } = partsWorld();
    s3.on(HeadObjectCommand, { Bucket: INGEST_BUCKET }).callsFake(async ({ ChecksumMode }: HeadObjectCommandInput) => {
      if (ChecksumMode === 'ENABLED') throw headError(400);
      return { ContentLength: SIZE };
    });
    s3.on(CopyObjectCommand).rejects(s3Error('KMS.DisabledException', 400));
    await expect(run()).rejects.toMatchObject({ code: 'kms-key-disabled' });
    expect(inputs(HeadObjectCommand).map(({ ChecksumMode }) => ChecksumMode)).toEqual(['ENABLED', undefined]);
    expect(inputs(CreateMultipartUploadCommand)).toEqual([]);
  });

  it('asks for all pages of left uploads, and aborts those of its key that nobody may be at', async () => {
    const { run, s3, inputs } = partsWorld();
    const pages = [
      { Uploads: [{ Key: TARGET.Key, UploadId: 'left-1' }], IsTruncated: true, NextKeyMarker: TARGET.Key, NextUploadIdMarker: 'left-1' },
      {
        Uploads: [
          { Key: TARGET.Key, UploadId: 'left-2' },
          { Key: TARGET.Key, UploadId: 'spared' },
          { Key: `${TARGET.Key}.bak`, UploadId: 'other' },
        ],
        IsTruncated: true,
        NextUploadIdMarker: 'other',
      },
    ];
    s3.on(ListMultipartUploadsCommand).callsFake(async ({ UploadIdMarker }: ListMultipartUploadsCommandInput) =>
      UploadIdMarker === undefined ? pages[0] : pages[1],
    );
    await run({ spared: async () => ['spared'] });
    expect(inputs(ListMultipartUploadsCommand).map(({ UploadIdMarker }) => UploadIdMarker)).toEqual([undefined, 'left-1']);
    expect(inputs(AbortMultipartUploadCommand).map(({ UploadId }) => UploadId)).toEqual(['left-1', 'left-2']);
  });
});

/** What parts would lose, although it is above their limit. */
const LOST: [what: string, source: Partial<HeadObjectCommandOutput>][] = [
  ['a SHA-256', { ChecksumCRC64NVME: undefined, ChecksumSHA256: 'x', ChecksumType: 'FULL_OBJECT' }],
  ['a checksum of parts', { ChecksumCRC64NVME: undefined, ChecksumCRC32C: 'x-3', ChecksumType: 'COMPOSITE' }],
  ['a checksum that is new to us', { ChecksumCRC64NVME: undefined, ChecksumXXHASH64: 'x' }],
  ['metadata that S3 does not show', { MissingMeta: 1 }],
  ['a header that is not ASCII', { ContentDisposition: 'attachment; filename="Ã©.txt"' }],
  ['more than a request holds', { Metadata: { long: 'x'.repeat(6_000) } }],
];

describe('a source with', () => {
  it.each(LOST)('%s is copied by one call', async (_, source) => {
    const { run, s3 } = partsWorld({ source });
    // The mock answers no CopyObject: that it comes is enough.
    await run().catch(() => {});
    expect(s3.calls().map(({ args: [command] }) => command.constructor.name)).toEqual([
      'HeadObjectCommand',
      'GetObjectTaggingCommand',
      'CopyObjectCommand',
    ]);
  });

  it.each(LOST.slice(3, 5))('%s is refused by name above 5 GiB, before anything is begun', async (_, source) => {
    const { run, s3 } = partsWorld({ source: { ...source, ContentLength: 6 * 1024 ** 3 } });
    await expect(run()).rejects.toMatchObject({ code: 'metadata-not-copyable', retryable: false });
    expect(s3.commandCalls(CreateMultipartUploadCommand)).toEqual([]);
  });

  it('a SHA-256 gets a CRC64NVME above 5 GiB, and the proof says so', async () => {
    const size = 6 * 1024 ** 3;
    const { deps, run, inputs } = partsWorld({
      source: { ChecksumCRC64NVME: undefined, ChecksumSHA256: 'x', ChecksumType: 'FULL_OBJECT', ContentLength: size },
    });
    deps.limits.partBytes = 1024 ** 3;
    expect(await run({ ref: objectRef({ size }) })).toMatchObject({ proof: 'parts-pinned' });
    expect(inputs(CreateMultipartUploadCommand)[0]).toMatchObject({ ChecksumAlgorithm: 'CRC64NVME' });
  });
});

describe('ListParts', () => {
  const saved: SavedUpload = { uploadId: 'saved', partBytes: 100, encryption: { mode: 'sse-s3' } };
  const alike = { ChecksumAlgorithm: 'CRC64NVME' as const, ChecksumType: 'FULL_OBJECT' as const, StorageClass: 'STANDARD' as const };

  it('is read page by page; parts of a wrong size are copied again', async () => {
    const { run, s3, inputs } = partsWorld();
    s3.on(ListPartsCommand).callsFake(async ({ PartNumberMarker }: ListPartsCommandInput) =>
      PartNumberMarker === undefined
        ? { ...alike, Parts: [{ PartNumber: 1, Size: 100, ETag: '"one"' }], IsTruncated: true, NextPartNumberMarker: '1' }
        : {
            ...alike,
            Parts: [
              { PartNumber: 2, Size: 99, ETag: '"two"' },
              { PartNumber: 3, Size: 50, ETag: '"three"' },
            ],
            IsTruncated: false,
          },
    );
    // The mock knows how to encrypt from the beginning of an upload.
    s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: '"new"' }, ServerSideEncryption: 'AES256' });
    s3.on(CompleteMultipartUploadCommand).resolves({
      ...alike,
      ETag: '"done-3"',
      ChecksumCRC64NVME: CRC,
      ServerSideEncryption: 'AES256',
    } as object);
    await run({ saved });
    expect(inputs(ListPartsCommand).map(({ PartNumberMarker }) => PartNumberMarker)).toEqual([undefined, '1']);
    expect(inputs(UploadPartCopyCommand).map(({ PartNumber }) => PartNumber)).toEqual([2]);
    expect(inputs(CompleteMultipartUploadCommand)[0]?.MultipartUpload?.Parts).toEqual([
      { PartNumber: 1, ETag: '"one"' },
      { PartNumber: 2, ETag: '"new"' },
      { PartNumber: 3, ETag: '"three"' },
    ]);
  });

  it('names the customer key, without which S3 hides checksums', async () => {
    const { run, s3, inputs } = partsWorld({}, 'sse-c');
    s3.on(ListPartsCommand).rejects(s3Error('NoSuchUpload', 404));
    await run({ saved: { ...saved, encryption: describeEncryption(ENCRYPTIONS['sse-c']) } });
    expect(inputs(ListPartsCommand)).toEqual([expect.objectContaining({ SSECustomerKey: KEY_BASE64, SSECustomerAlgorithm: 'AES256' })]);
  });

  it.each<[string, object]>([
    ['another algorithm', { ChecksumAlgorithm: 'CRC32' }],
    ['checksums of parts', { ChecksumType: 'COMPOSITE' }],
    ['no checksum', { ChecksumAlgorithm: undefined, ChecksumType: undefined }],
    ['another storage class', { StorageClass: 'STANDARD_IA' }],
  ])('of an upload with %s has it aborted and begun anew', async (_, other) => {
    const { run, s3, told, inputs } = partsWorld();
    s3.on(ListPartsCommand).resolves({ ...alike, ...other });
    await run({ saved });
    expect(inputs(AbortMultipartUploadCommand).map(({ UploadId }) => UploadId)).toEqual(['saved']);
    expect(told).toHaveLength(1);
  });

  it('that is refused fails by name', async () => {
    const { run, s3 } = partsWorld();
    s3.on(ListPartsCommand).rejects(s3Error('SlowDown', 503));
    await expect(run({ saved })).rejects.toMatchObject({ code: 'throttled' });
  });
});

it('ten thousand parts are completed in their order, and none of those that were there is copied again', async () => {
  const bytes = 5 * 1024 ** 3;
  const size = 10_000 * bytes;
  const { s3, run, inputs } = partsWorld({ source: { ContentLength: size, ChecksumCRC64NVME: undefined } });
  const listed = { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' } as const;
  s3.on(ListPartsCommand).callsFake(async ({ PartNumberMarker = '0' }: ListPartsCommandInput) => {
    const first = Number(PartNumberMarker) + 1;
    const Parts = Array.from({ length: 1_000 }, (_, index) => ({
      PartNumber: first + index,
      Size: bytes,
      ETag: `"there-${first + index}"`,
    }));
    return {
      ...listed,
      Parts: Parts.filter(({ PartNumber }) => PartNumber % 100 > 0),
      IsTruncated: first < 9_001,
      NextPartNumberMarker: String(first + 999),
    };
  });
  s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }: UploadPartCopyCommandInput) => ({
    CopyPartResult: { ETag: `"new-${PartNumber}"` },
    ServerSideEncryption: 'AES256',
  }));
  s3.on(CompleteMultipartUploadCommand).resolves({
    ...listed,
    ETag: '"x"',
    ChecksumCRC64NVME: CRC,
    ServerSideEncryption: 'AES256',
  } as object);
  await run({ ref: objectRef({ size }), saved: { uploadId: 'saved', partBytes: bytes, encryption: { mode: 'sse-s3' } } });
  expect(inputs(ListPartsCommand)).toHaveLength(10);
  expect(inputs(UploadPartCopyCommand)).toHaveLength(100);
  const parts = inputs(CompleteMultipartUploadCommand)[0]?.MultipartUpload?.Parts ?? [];
  expect(parts.map(({ PartNumber }) => PartNumber)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  expect([parts[98]?.ETag, parts[99]?.ETag, parts[9_999]?.ETag]).toEqual(['"there-99"', '"new-100"', '"new-10000"']);
});
