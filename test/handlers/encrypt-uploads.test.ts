/** Uploads that other attempts left: whose they are, who goes on with them, who ends them, and that none of it decides over an object. */
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { CLAIM_LIFETIME_MS } from '../../src/audit/object-record.ts';
import { honestCopy, s3Error } from '../fixtures/aws.ts';
import {
  auditEvents,
  claimOf,
  claims,
  deadCodes,
  encryptWorld,
  MAX_RECEIVE_COUNT,
  objectRecords,
  ownMessages,
  PART_BYTES,
  PARTS_ABOVE_BYTES,
  recordOf,
} from '../fixtures/encrypt-world.ts';
import { keepUploads } from '../fixtures/honest-upload.ts';
import { notification, queued } from '../fixtures/messages.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };

const KEY = 'plain/large.bin';
const SIZE = PARTS_ABOVE_BYTES + 1;
const message = (delivery = 1) => queued([notification({ key: KEY, size: SIZE, sequencer: '05' })], delivery);
const upload = (uploadId: string) => ({ uploadId, partBytes: PART_BYTES, encryption: { mode: 'sse-s3' as const } });
const claim = (sequencer: string, uploadId: string, age = 0) =>
  claimOf(sequencer, { key: KEY, id: uploadId, upload: upload(uploadId), claimedAt: new Date(Date.now() - age).toISOString() });

/** @param left what S3 lists as uploads that somebody began */
function copying(...left: string[]) {
  const world = encryptWorld();
  keepUploads(world.s3, SIZE);
  if (left.length > 0) {
    const Uploads = left.map((UploadId) => ({ UploadId, Key: encodeURIComponent(KEY) }));
    world.s3.on(ListMultipartUploadsCommand).resolves({ Uploads });
  }
  const aborted = () => world.s3.commandCalls(AbortMultipartUploadCommand).map((call) => call.args[0].input.UploadId);
  /** By a function whose time ends with its first part. */
  const runShort = (event: unknown) => {
    const time = new AbortController();
    world.s3.on(UploadPartCopyCommand, { PartNumber: 1 }).callsFake(async () => {
      time.abort();
      return { CopyPartResult: { ETag: '"part-1"' }, ServerSideEncryption: 'AES256' };
    });
    const limits = { ...world.deps.limits, parallelParts: 1 };
    return createHandler(() => ({ ...world.deps, limits, stop: time.signal }))(event);
  };
  return { world, aborted, run: createHandler(() => world.deps), runShort };
}

describe('uploads that cannot be listed', () => {
  const FAULTS = [s3Error('AccessDenied', 403), s3Error('SlowDown', 503)];

  it.each(FAULTS)('do not keep an object from being encrypted that is gone on with: %s', async (fault) => {
    const { world, run } = copying();
    const { UploadId = '' } = await world.deps.s3.send(new CreateMultipartUploadCommand({ Bucket: 'b', Key: KEY }));
    await world.remember([claim('05', UploadId)]);
    world.s3.on(ListMultipartUploadsCommand).rejects(fault);
    expect(await run(message(2))).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ key: KEY, uploadId: UploadId })]);
    expect(deadCodes(world)).toEqual([]);
  });

  it.each(FAULTS)('do not keep an object from being superseded: %s', async (fault) => {
    const { world, run } = copying();
    await world.remember([], [recordOf('06', { key: KEY, etag: 'etag-of-06' })]);
    world.s3.on(ListMultipartUploadsCommand).rejects(fault);
    expect(await run(message(2))).toEqual(NO_FAILURES);
    expect([auditEvents(world), deadCodes(world)]).toEqual([[], []]);
    expect(world.log.entries.map(({ message: text }) => text)).toEqual(['skipped']);
  });

  it.each(FAULTS)('do not take the place of the cause that an object failed by: %s', async (fault) => {
    const { world, run } = copying();
    const { UploadId = '' } = await world.deps.s3.send(new CreateMultipartUploadCommand({ Bucket: 'b', Key: KEY }));
    await world.remember([claim('05', UploadId)]);
    world.s3.on(UploadPartCopyCommand).rejects(s3Error('NoSuchVersion', 404));
    world.s3.on(ListMultipartUploadsCommand).rejects(fault);
    expect(await run(message(2))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['source-gone']);
    expect(auditEvents(world)).toMatchObject([{ action: 'EncryptionFailed', code: 'source-gone' }]);
  });

  it('keep no other object of their batch from its end', async () => {
    const { world, run } = copying();
    await world.remember([], [recordOf('06', { key: KEY })]);
    world.s3.on(ListMultipartUploadsCommand).rejects(s3Error('AccessDenied', 403));
    const bodies = [notification({ key: KEY, size: SIZE, sequencer: '05' }), notification({ key: 'plain/small' })];
    expect(await run(queued(bodies, 2))).toEqual(NO_FAILURES);
    expect(objectRecords(world).map(({ key }) => key)).toEqual(['plain/small']);
  });
});

describe('uploads of newer sources', () => {
  it.each([
    ['is alive', 0],
    ['is as old as any function lives', CLAIM_LIFETIME_MS],
    ['is a day old', 24 * 3_600_000],
  ])('are left to them though the claim of such a one %s', async (_how, age) => {
    const { world, aborted, run } = copying('upload-of-07');
    await world.remember([claim('07', 'upload-of-07', age)], [recordOf('06', { key: KEY })]);
    await run(message(2));
    expect(world.s3.commandCalls(ListMultipartUploadsCommand)).toHaveLength(1);
    expect(aborted()).toEqual([]);
  });

  it('are left to them by an older source that begins its own', async () => {
    const { world, aborted, run } = copying('upload-of-07', 'upload-of-nobody');
    await world.remember([claim('07', 'upload-of-07', CLAIM_LIFETIME_MS)]);
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toHaveLength(1);
    expect(aborted()).toEqual(['upload-of-nobody']);
  });

  it('of another bucket are nobody’s', async () => {
    const { world, aborted, run } = copying('upload-of-07');
    await world.remember([{ ...claim('07', 'upload-of-07'), sourceBucket: 'another-ingest-bucket' }]);
    await run(message());
    expect(aborted()).toEqual(['upload-of-07']);
  });
});

describe('an upload that is gone on with', () => {
  it('stands in the claim of whoever goes on, before another part is copied', async () => {
    const { world, run } = copying();
    const { UploadId = '' } = await world.deps.s3.send(new CreateMultipartUploadCommand({ Bucket: 'b', Key: KEY }));
    await world.remember([claim('05', UploadId, CLAIM_LIFETIME_MS)]);
    const before: unknown[] = [];
    world.s3.on(ListPartsCommand).callsFake(async () => {
      before.push(...claims(world).map((written) => written.upload));
      return { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' };
    });
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(before).toEqual([upload(UploadId)]);
  });

  it('stands in the record of the copy that it became', async () => {
    const { world, run } = copying();
    await run(message());
    expect(objectRecords(world)).toMatchObject([{ proof: 'checksum-compared', uploadId: 'upload-1' }]);
  });

  it('is not in the record of a copy by one call, which ends it', async () => {
    const { world, aborted, run } = copying();
    await world.remember([claim('05', 'upload-0')]);
    world.deps.limits = { ...world.deps.limits, partsAboveBytes: SIZE };
    expect(await run(message())).toEqual(NO_FAILURES);
    const [record, ...more] = objectRecords(world);
    expect(record).toMatchObject({ proof: 'source-pinned' });
    expect(record).not.toHaveProperty('uploadId');
    expect(more).toEqual([]);
    expect(aborted()).toContain('upload-0');
  });
});

describe('an object whose uploads vanish', () => {
  const gone = (count: number) => Array.from({ length: count }, (_, index) => claim('05', `gone-${index}`, index));

  it('is continued in its eighth', async () => {
    const { world, runShort } = copying();
    await world.remember(gone(7));
    expect(await runShort(message())).toEqual(NO_FAILURES);
    expect(ownMessages(world)).toHaveLength(1);
  });

  it('is a conflict after eight, and is not continued', async () => {
    const { world, runShort } = copying();
    await world.remember(gone(8));
    expect(await runShort(message())).toEqual(RETRY);
    expect(ownMessages(world)).toEqual([]);
    expect(world.log.entries).toMatchObject([{ message: 'not encrypted', fields: { code: 'conflict', key: KEY } }]);
  });

  it('is a dead letter by that name at its last delivery, and leaves no upload', async () => {
    const { world, aborted, runShort } = copying();
    await world.remember(gone(8));
    expect(await runShort(message(MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['conflict']);
    expect(aborted()).toContain('upload-1');
  });

  it('but once the last of them is long enough is encrypted, however many there were', async () => {
    const { world, run } = copying();
    await world.remember(gone(20));
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toHaveLength(1);
  });
});

describe('a large object', () => {
  it('of the newest sources does not hold up older ones whose newest failed', async () => {
    const { world, run } = copying();
    let recorded = () => {};
    const olderRecorded = new Promise<void>((resolve) => {
      recorded = resolve;
    });
    const { append } = world.deps.records;
    world.deps.records.append = async (records, ended) => {
      await append(records, ended);
      if (records.some(({ key }) => key === 'plain/small')) recorded();
    };
    world.s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }) => {
      await olderRecorded;
      return { CopyPartResult: { ETag: `"part-${PartNumber}"` }, ServerSideEncryption: 'AES256' };
    });
    world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      if (input.CopySource?.endsWith('v07')) throw s3Error('NoSuchVersion', 404);
      return honestCopy(input);
    });
    const small = ['06', '07'].map((sequencer) => notification({ key: 'plain/small', sequencer, versionId: `v${sequencer}` }));
    expect(await run(queued([notification({ key: KEY, size: SIZE, sequencer: '05' }), ...small]))).toEqual(NO_FAILURES);
    expect(objectRecords(world).map(({ key, source }) => [key, source.sequencer])).toEqual([
      ['plain/small', '06'],
      [KEY, '05'],
    ]);
  });
});
