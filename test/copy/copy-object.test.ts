import { CopyObjectCommand, type CopyObjectCommandInput, HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { TargetCondition } from '../../src/copy/copy-job.ts';
import { copyObject } from '../../src/copy/copy-object.ts';
import type { ResolvedEncryption } from '../../src/encryption/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import { headError, honestCopy, mockAws, s3Error } from '../fixtures/aws.ts';
import {
  ENCRYPTIONS,
  ETAG,
  INGEST_BUCKET,
  INGEST_OWNER,
  KEY_BASE64,
  MODES,
  objectRef,
  STACK_KEY,
  TARGET_BUCKET,
  TARGET_OWNER,
  VERSION_ID,
} from '../fixtures/objects.ts';

const OWNERS = { targetBucketOwner: TARGET_OWNER, ingestBucketOwner: INGEST_OWNER };

const COMMON = {
  Bucket: TARGET_BUCKET,
  ExpectedBucketOwner: TARGET_OWNER,
  ExpectedSourceBucketOwner: INGEST_OWNER,
  Key: 'reports/summary.txt',
  CopySource: `${INGEST_BUCKET}/reports/summary.txt?versionId=${VERSION_ID}`,
  CopySourceIfMatch: ETAG,
  MetadataDirective: 'COPY',
  TaggingDirective: 'COPY',
  AnnotationDirective: 'EXCLUDE',
  StorageClass: 'STANDARD',
  IfNoneMatch: '*',
};

/** Exactly what each mode adds: nothing that a bucket's default could fill in, nothing of another mode. */
const ASKED = {
  'sse-s3': { ServerSideEncryption: 'AES256' },
  'sse-kms': { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true },
  'dsse-kms': { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY },
  'sse-c': { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 },
};

/** Key → how the source must be named. The first byte of a path segment to the last, percent-encoded as UTF-8. */
const HOSTILE_KEYS = {
  'a/b c+é.txt': 'a/b%20c%2B%C3%A9.txt',
  '50%/100%25.txt': '50%25/100%2525.txt',
  'a//b': 'a//b',
  '../secret': '../secret',
  'folder/': 'folder/',
  '日本/🎉': '%E6%97%A5%E6%9C%AC/%F0%9F%8E%89',
  'q?versionId=other#x&y': 'q%3FversionId%3Dother%23x%26y',
  'line\nbreak': 'line%0Abreak',
};

function world(answer = honestCopy) {
  const { clients, s3 } = mockAws();
  s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => answer(input));
  const copyUnder = (ref: ObjectRef, encryption: ResolvedEncryption, condition: TargetCondition = 'absent') =>
    copyObject(
      { s3: clients.s3, targetBucket: TARGET_BUCKET, ...OWNERS, limits: { partsAboveBytes: 100, partBytes: 50 } },
      { ref, encryption },
      'STANDARD',
      condition,
    );
  const copy = (ref: ObjectRef, mode = MODES[0] ?? 'sse-s3') => copyUnder(ref, ENCRYPTIONS[mode]);
  return { s3, copy, copyUnder, inputs: () => s3.commandCalls(CopyObjectCommand).map((call) => call.args[0].input) };
}

describe('copyObject', () => {
  it.each(MODES)('asks for %s in every word, and for nothing else', async (mode) => {
    const { copy, inputs, s3 } = world();
    await copy(objectRef(), mode);
    expect(inputs()).toEqual([{ ...COMMON, ...ASKED[mode] }]);
    expect(s3.calls()).toHaveLength(1);
  });

  it('says that the Bucket Key is off, since silence would take the bucket default', async () => {
    const { copyUnder, inputs } = world();
    await copyUnder(objectRef(), { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: false });
    expect(inputs()[0]).toMatchObject({ BucketKeyEnabled: false });
  });

  it.each(Object.entries(HOSTILE_KEYS))('names the source %j by each byte', async (key, encoded) => {
    const { copy, inputs } = world();
    await copy(objectRef({ key }));
    expect(inputs()[0]).toMatchObject({ Key: key, CopySource: `${INGEST_BUCKET}/${encoded}?versionId=${VERSION_ID}` });
  });

  it('pins the version, with its hostile characters encoded', async () => {
    const { copy, inputs } = world();
    await copy(objectRef({ versionId: 'a+b/c&d' }));
    expect(inputs()[0]?.CopySource).toBe(`${INGEST_BUCKET}/reports/summary.txt?versionId=a%2Bb%2Fc%26d`);
  });

  it('names no version in a bucket without versioning, and still pins the etag', async () => {
    const { copy, inputs } = world();
    const { versionId: _, ...unversioned } = objectRef();
    await copy(unversioned);
    expect(inputs()[0]).toMatchObject({ CopySource: `${INGEST_BUCKET}/reports/summary.txt`, CopySourceIfMatch: ETAG });
  });

  it('gives etag, version and checksum as the answer said them', async () => {
    expect(await world().copy(objectRef())).toEqual({
      etag: ETAG,
      versionId: 'target-version-1',
      checksum: { algorithm: 'CRC64NVME', value: 'ODg4ODg4ODg=', type: 'FULL_OBJECT' },
      proof: 'source-pinned',
    });
  });

  it('gives no version and no checksum where the answer has none', async () => {
    const { copy } = world((input) => {
      const { VersionId: _, ...answer } = honestCopy(input);
      return { ...answer, CopyObjectResult: { ETag: '"abc-2"' } };
    });
    expect(await copy(objectRef())).toEqual({ etag: 'abc-2', proof: 'source-pinned' });
  });

  it('refuses an answer without an ETag', async () => {
    const { copy } = world((input) => ({ ...honestCopy(input), CopyObjectResult: {} }));
    await expect(copy(objectRef())).rejects.toMatchObject({ code: 'answer-mismatch', message: expect.stringContaining('no ETag') });
  });

  it.each(MODES)('refuses a %s copy whose answer is silent about encryption', async (mode) => {
    const { copy } = world(() => ({ $metadata: {}, CopyObjectResult: { ETag: `"${ETAG}"` } }));
    await expect(copy(objectRef(), mode)).rejects.toMatchObject({
      code: 'answer-mismatch',
      retryable: false,
      object: { key: objectRef().key },
    });
  });

  it('replaces only the target that was looked at', async () => {
    const { copyUnder, inputs } = world();
    await copyUnder(objectRef(), ENCRYPTIONS['sse-s3'], { etag: 'abc-2' });
    expect(inputs()[0]).toMatchObject({ IfMatch: 'abc-2' });
    expect(inputs()[0]).not.toHaveProperty('IfNoneMatch');
  });
});

/** What S3 answers, which condition it names, what a HEAD of the source then says, and what that makes of it. */
const REFUSED: [name: string, condition: TargetCondition, failed: string | null, source: number | null, code: ErrorCode][] = [
  ['PreconditionFailed', 'absent', 'If-None-Match', null, 'target-changed'],
  ['PreconditionFailed', 'absent', 'x-amz-copy-source-If-Match', null, 'source-changed'],
  ['PreconditionFailed', { etag: 'abc' }, 'x-amz-copy-source-If-Match', null, 'source-changed'],
  ['PreconditionFailed', { etag: 'abc' }, 'If-Match', 200, 'target-changed'],
  ['PreconditionFailed', { etag: 'abc' }, 'If-Match', 412, 'source-changed'],
  ['PreconditionFailed', 'absent', null, 200, 'target-changed'],
  ['PreconditionFailed', 'absent', null, 412, 'source-changed'],
  ['PreconditionFailed', 'absent', null, 404, 'source-gone'],
  ['NoSuchKey', { etag: 'abc' }, null, 200, 'target-changed'],
  ['NoSuchKey', { etag: 'abc' }, null, 404, 'source-gone'],
  ['NoSuchKey', { etag: 'abc' }, null, 403, 'source-unreadable'],
  ['NoSuchKey', 'absent', null, null, 'source-gone'],
  ['NoSuchVersion', { etag: 'abc' }, null, null, 'source-gone'],
  ['ConditionalRequestConflict', { etag: 'abc' }, null, null, 'target-changed'],
  ['OperationAborted', 'absent', null, null, 'target-changed'],
];

describe('copyObject, refused', () => {
  it.each(REFUSED)('%s under %j, naming %s, the source answering %s, is %s', async (name, condition, failed, source, code) => {
    const { s3, copyUnder } = world(() => {
      throw Object.assign(s3Error(name, 412), failed === null ? {} : { Condition: failed });
    });
    if (source === 200) s3.on(HeadObjectCommand).resolves({ ETag: `"${ETAG}"` });
    else if (source !== null) s3.on(HeadObjectCommand).rejects(headError(source));
    await expect(copyUnder(objectRef(), ENCRYPTIONS['sse-s3'], condition)).rejects.toMatchObject({ code });
    const heads = s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input);
    expect(heads).toEqual(
      source === null ? [] : [expect.objectContaining({ Bucket: INGEST_BUCKET, VersionId: VERSION_ID, IfMatch: ETAG })],
    );
  });
});
