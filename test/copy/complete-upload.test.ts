/** Answers of an upload that are not as asked, and refusals of its end. */
import { AbortMultipartUploadCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import type { ServerSideMode } from '../../src/policy/schema.ts';
import { headError, s3Error } from '../fixtures/aws.ts';
import { CRC, type Fakes, partsWorld, SIZE, SOURCE, TARGET } from './parts-mock.ts';

/** Answers of one call, and what is said of them. */
const WRONG: [what: string, mode: ServerSideMode, fakes: Fakes, says: RegExp][] = [
  ['an upload under plain SSE-S3', 'sse-kms', { create: { ServerSideEncryption: 'AES256' } }, /^the upload .*ServerSideEncryption/],
  ['an upload silent about encryption', 'sse-s3', { create: { ServerSideEncryption: undefined } }, /^the upload .*the answer says none/],
  ['an upload under another customer key', 'sse-c', { create: { SSECustomerKeyMD5: 'AAAA' } }, /^the upload .*not that of the key/],
  ['an upload without an id', 'sse-s3', { create: { UploadId: undefined } }, /^the upload .*UploadId/],
  ['a part silent about encryption', 'sse-s3', { part: { ServerSideEncryption: undefined } }, /^part 1 .*the answer says none/],
  ['a part silent about its customer key', 'sse-c', { part: { SSECustomerKeyMD5: undefined } }, /^part 1 .*the answer says none/],
  ['a part under another KMS key', 'sse-kms', { part: { SSEKMSKeyId: 'arn:other' } }, /^part 1 .*SSEKMSKeyId/],
  ['a part without an ETag', 'sse-s3', { part: { CopyPartResult: {} } }, /^part 1 .*no ETag/],
  ['a copy under another key', 'dsse-kms', { complete: { SSEKMSKeyId: 'arn:other' } }, /^the copy .*SSEKMSKeyId/],
  ['a copy silent about encryption', 'sse-kms', { complete: { ServerSideEncryption: undefined } }, /^the copy .*ServerSideEncryption/],
  ['a copy whose bucket key is off', 'sse-kms', { complete: { BucketKeyEnabled: undefined } }, /^the copy .*BucketKeyEnabled/],
  ['a copy under SSE-S3 in place of SSE-C', 'sse-c', { complete: { ServerSideEncryption: 'AES256' } }, /^the copy .*ServerSideEncryption/],
  ['a copy without an ETag', 'sse-s3', { complete: { ETag: undefined } }, /^the copy .*ETag/],
  ['a copy of another checksum', 'sse-s3', { complete: { ChecksumCRC64NVME: 'other' } }, /^the copy .*not the source's/],
  ['a copy without a checksum', 'sse-s3', { complete: { ChecksumCRC64NVME: undefined } }, /^the copy .*none of the whole object/],
  ['a copy with a checksum of parts', 'sse-s3', { complete: { ChecksumType: 'COMPOSITE' } }, /^the copy .*none of the whole object/],
];

describe('an answer that is not as asked', () => {
  it.each(WRONG)('%s (%s) is a failure for good', async (_, mode, fakes, says) => {
    await expect(partsWorld(fakes, mode).run()).rejects.toMatchObject({
      code: 'answer-mismatch',
      retryable: false,
      message: expect.stringMatching(says),
      object: { key: TARGET.Key },
    });
  });

  it('to the beginning of an upload leaves none, and nobody is told of it', async () => {
    const { run, told, inputs } = partsWorld({ create: { ServerSideEncryption: undefined } });
    await expect(run()).rejects.toMatchObject({ code: 'answer-mismatch' });
    expect(inputs(AbortMultipartUploadCommand)).toEqual([{ ...TARGET, UploadId: 'upload-1' }]);
    expect(told).toEqual([]);
  });

  it.each(['SSEKMSKeyId', 'BucketKeyEnabled'])('but a part that leaves out %s, is taken: beginning and end told it', async (member) => {
    await expect(partsWorld({ part: { [member]: undefined } }, 'sse-kms').run()).resolves.toMatchObject({ etag: 'done-3' });
  });
});

/** What CompleteMultipartUpload is refused with, and whether the upload is aborted for it. */
const SIZE_MESSAGE = `The provided 'x-amz-mp-object-size' header value ${SIZE} does not match what was computed: 249`;
const REFUSED: [name: string, message: string, code: ErrorCode, retryable: boolean, aborted: boolean][] = [
  ['PreconditionFailed', 'x', 'target-changed', true, false],
  ['NoSuchKey', 'x', 'target-changed', true, false],
  ['NoSuchUpload', 'x', 'conflict', true, false],
  ['ConditionalRequestConflict', 'x', 'conflict', true, true],
  ['OperationAborted', 'x', 'conflict', true, false],
  ['InvalidPart', 'x', 'conflict', true, false],
  ['BadDigest', 'x', 'answer-mismatch', false, false],
  ['InvalidRequest', SIZE_MESSAGE, 'answer-mismatch', false, false],
  ['EntityTooSmall', 'x', 'config-invalid', false, false],
  ['AccessDenied', 'x', 'access-denied', false, false],
  ['SlowDown', 'x', 'throttled', true, false],
];

describe('CompleteMultipartUpload', () => {
  it.each(REFUSED)('refused with %s (%s) is %s', async (name, message, code, retryable, aborted) => {
    const { run, inputs } = partsWorld({ complete: s3Error(name, 400, message) });
    await expect(run({}, { etag: 'old' })).rejects.toMatchObject({ code, retryable, object: { key: TARGET.Key } });
    expect(inputs(AbortMultipartUploadCommand)).toHaveLength(aborted ? 1 : 0);
  });

  const COPY = {
    ...SOURCE,
    ETag: '"done-3"',
    VersionId: 'v9',
    ServerSideEncryption: 'AES256',
    LastModified: new Date('2026-11-20T09:30:15Z'),
  };
  const gone = s3Error('NoSuchUpload', 404);

  it('of an upload that is gone finds the copy that it became', async () => {
    expect(await partsWorld({ complete: gone, target: COPY }).run()).toEqual({
      etag: 'done-3',
      uploadId: 'upload-1',
      versionId: 'v9',
      checksum: { algorithm: 'CRC64NVME', value: CRC, type: 'FULL_OBJECT' },
      proof: 'checksum-compared',
    });
  });

  it.each<[string, object]>([
    ['of another size', { ContentLength: SIZE - 1 }],
    ['of another checksum', { ChecksumCRC64NVME: 'other' }],
    ['without a checksum', { ChecksumCRC64NVME: undefined }],
    ['of another number of parts', { ETag: '"done-13"' }],
    ['under another encryption', { ServerSideEncryption: 'aws:kms' }],
    ['of another storage class', { StorageClass: 'STANDARD_IA' }],
    ['with other metadata', { Metadata: { owner: 'kim' } }],
    ['of another type', { ContentType: 'text/html' }],
    ['that expires', { ExpiresString: '0' }],
    ['of another number of tags', { TagCount: 2 }],
    ['that is older than the source', { LastModified: new Date('2026-11-20T09:30:14Z') }],
  ])('of an upload that is gone does not take an object %s for the copy', async (_, other) => {
    await expect(partsWorld({ complete: gone, target: { ...COPY, ...other } }).run()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('takes nothing for the copy of a source without a checksum', async () => {
    const { run, inputs } = partsWorld({ complete: gone, target: COPY, source: { ChecksumCRC64NVME: undefined } });
    await expect(run()).rejects.toMatchObject({ code: 'conflict' });
    expect(inputs(HeadObjectCommand)).toHaveLength(1);
  });

  it.each([
    [400, 'conflict'],
    [403, 'conflict'],
    [503, 'service-unavailable'],
  ])('of an upload that is gone, while the target answers %d, is %s', async (status, code) => {
    await expect(partsWorld({ complete: gone, target: headError(status) }).run()).rejects.toMatchObject({ code });
  });
});
