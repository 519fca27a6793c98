import { CopyObjectCommand, type CopyObjectCommandInput } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { copyObject } from '../../src/copy/copy-object.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import { honestCopy, mockAws } from '../fixtures/aws.ts';
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
  const copy = (ref: ObjectRef, mode = MODES[0] ?? 'sse-s3') =>
    copyObject({ s3: clients.s3, targetBucket: TARGET_BUCKET, ...OWNERS }, ref, ENCRYPTIONS[mode]);
  return { s3, copy, inputs: () => s3.commandCalls(CopyObjectCommand).map((call) => call.args[0].input) };
}

describe('copyObject', () => {
  it.each(MODES)('asks for %s in every word, and for nothing else', async (mode) => {
    const { copy, inputs, s3 } = world();
    await copy(objectRef(), mode);
    expect(inputs()).toEqual([{ ...COMMON, ...ASKED[mode] }]);
    expect(s3.calls()).toHaveLength(1);
  });

  it('says that the Bucket Key is off, since silence would take the bucket default', async () => {
    const { clients, s3 } = mockAws();
    s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => honestCopy(input));
    await copyObject({ s3: clients.s3, targetBucket: TARGET_BUCKET, ...OWNERS }, objectRef(), {
      mode: 'sse-kms',
      keyArn: STACK_KEY,
      bucketKey: false,
    });
    expect(s3.commandCalls(CopyObjectCommand)[0]?.args[0].input).toMatchObject({ BucketKeyEnabled: false });
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
    });
  });

  it('gives no version and no checksum where the answer has none', async () => {
    const { copy } = world((input) => {
      const { VersionId: _, ...answer } = honestCopy(input);
      return { ...answer, CopyObjectResult: { ETag: '"abc-2"' } };
    });
    expect(await copy(objectRef())).toEqual({ etag: 'abc-2' });
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
});
