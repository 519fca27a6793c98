import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { adoptCopy } from '../src/adopt-copy.ts';
import type { ObjectRecord } from '../src/audit/object-record.ts';
import { headError, s3Error, secretError } from './fixtures/aws.ts';
import { encryptWorld, recordOf } from './fixtures/encrypt-world.ts';
import { KEY_BASE64, KEY_MD5, KEY_VERSION, STACK_KEY, TARGET_BUCKET, TARGET_OWNER } from './fixtures/objects.ts';

type Head = Partial<HeadObjectCommandOutput>;

/** What S3 says of a copy that has no record. */
const HEAD: Head = {
  ContentLength: 12,
  ChecksumCRC64NVME: 'ODg4ODg4ODg=',
  ChecksumType: 'FULL_OBJECT',
  ServerSideEncryption: 'AES256',
  VersionId: 'v9',
};

/** Mode → the recorded encryption, and how S3 tells it. */
const MODES: [ObjectRecord['encryption'], Head][] = [
  [{ mode: 'sse-s3' }, {}],
  [
    { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
    { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true },
  ],
  [
    { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: false },
    { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: STACK_KEY },
  ],
  [
    { mode: 'dsse-kms', keyArn: STACK_KEY },
    { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY },
  ],
  [
    { mode: 'sse-c', customerKeyVersion: KEY_VERSION },
    { ServerSideEncryption: undefined, SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: KEY_MD5 },
  ],
];

/** @param etag of the target's current object; `null`: there is none */
function adopting(etag: string | null, head: Head | Error = {}, record = recordOf('05')) {
  const world = encryptWorld();
  const Contents = etag === null ? [] : [{ Key: record.key, ETag: `"${etag}"` }];
  world.s3.on(ListObjectsV2Command).resolves({ Contents });
  if (head instanceof Error) world.s3.on(HeadObjectCommand).rejects(head);
  else world.s3.on(HeadObjectCommand).resolves({ ...HEAD, ...head });
  const heads = () => world.s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input);
  return { adopt: () => adoptCopy(record, world.deps), heads, world };
}

describe('adoptCopy', () => {
  it.each(MODES)('gives the missing record of an equal copy under %j', async (encryption, told) => {
    const record = recordOf('05', { encryption, uploadId: 'upload-1' });
    const { adopt } = adopting('unrecorded', told, record);
    const adopted = await adopt();
    const { uploadId: _, ...rest } = record;
    expect(adopted).toEqual({
      ...rest,
      etag: 'unrecorded',
      versionId: 'v9',
      proof: 'checksum-compared',
      encryptedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Date.parse(adopted?.encryptedAt ?? '')).toBeGreaterThan(Date.parse(record.encryptedAt));
  });

  it('names no version where the target has none', async () => {
    expect(await adopting('unrecorded', { VersionId: undefined }).adopt()).not.toHaveProperty('versionId');
  });

  it('asks for the very object that the listing told of, with its checksum', async () => {
    const { adopt, heads } = adopting('unrecorded');
    await adopt();
    expect(heads()).toEqual([
      {
        Bucket: TARGET_BUCKET,
        ExpectedBucketOwner: TARGET_OWNER,
        Key: 'reports/summary.txt',
        IfMatch: 'unrecorded',
        ChecksumMode: 'ENABLED',
      },
    ]);
  });

  it('opens a copy under SSE-C with the key version that the record names', async () => {
    const [encryption, told] = MODES[4] ?? [];
    const { adopt, heads, world } = adopting('unrecorded', told, recordOf('05', encryption && { encryption }));
    await adopt();
    const [secret] = world.secretsManager.commandCalls(GetSecretValueCommand).map((call) => call.args[0].input);
    expect(secret).toMatchObject({ VersionId: KEY_VERSION });
    expect(heads()[0]).toMatchObject({ SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 });
  });

  it.each([
    ['is as recorded', 'etag-of-05'],
    ['was deleted', null],
  ])('finds nothing to record where the target %s, and asks no more', async (_what, etag) => {
    const [encryption, told] = MODES[1] ?? [];
    const { adopt, heads } = adopting(etag, told, recordOf('05', encryption && { encryption }));
    expect(await adopt()).toBeNull();
    expect(heads()).toEqual([]);
  });

  it('tells equal copies under SSE-S3 by their versions: their ETags are equal', async () => {
    expect(await adopting('etag-of-05', { VersionId: 'version-of-05' }).adopt()).toBeNull();
    expect(await adopting('etag-of-05', { VersionId: 'v9' }).adopt()).toMatchObject({ etag: 'etag-of-05', versionId: 'v9' });
  });

  it('takes nothing for a copy of what has no checksum to compare', async () => {
    const { checksum: _, ...record } = recordOf('05');
    const { adopt, heads } = adopting('unrecorded', {}, record);
    expect(await adopt()).toBeNull();
    expect(heads()).toEqual([]);
  });

  it.each<[string, Head]>([
    ['of another size', { ContentLength: 13 }],
    ['of another checksum', { ChecksumCRC64NVME: 'other' }],
    ['of another kind of checksum', { ChecksumCRC64NVME: undefined, ChecksumCRC32: 'ODg4ODg4ODg=' }],
    ['of a checksum of parts', { ChecksumType: 'COMPOSITE' }],
    ['without a checksum', { ChecksumCRC64NVME: undefined, ChecksumType: undefined }],
    ['under another mode', { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: STACK_KEY }],
    ['silent about its encryption', { ServerSideEncryption: undefined }],
  ])("leaves an object %s alone: it is somebody else's", async (_what, other) => {
    expect(await adopting('unrecorded', other).adopt()).toBeNull();
  });

  it.each<[string, Head]>([
    ['another key', { SSEKMSKeyId: 'arn:aws:kms:us-east-1:000000000000:key/other', BucketKeyEnabled: true }],
    ['the key without a Bucket Key', { BucketKeyEnabled: undefined }],
  ])("leaves an object under %s alone: it is somebody else's", async (_what, other) => {
    const [encryption, told] = MODES[1] ?? [];
    const { adopt } = adopting('unrecorded', { ...told, ...other }, recordOf('05', encryption && { encryption }));
    expect(await adopt()).toBeNull();
  });

  it.each([400, 403, 404, 405, 412])('finds nothing to record where the target answers %d', async (status) => {
    expect(await adopting('unrecorded', headError(status)).adopt()).toBeNull();
  });

  it('does not take an outage for an answer', async () => {
    await expect(adopting('unrecorded', headError(503)).adopt()).rejects.toMatchObject({ code: 'service-unavailable' });
    const { adopt, world } = adopting('unrecorded');
    world.s3.on(ListObjectsV2Command).rejects(s3Error('SlowDown', 503));
    await expect(adopt()).rejects.toMatchObject({ code: 'throttled' });
  });

  it('throws what keeps it from the customer key', async () => {
    const { adopt, world } = adopting('unrecorded', {}, recordOf('05', { encryption: { mode: 'sse-c', customerKeyVersion: KEY_VERSION } }));
    world.secretsManager.on(GetSecretValueCommand).rejects(secretError('ResourceNotFoundException'));
    await expect(adopt()).rejects.toMatchObject({ code: 'customer-key-missing' });
  });
});
