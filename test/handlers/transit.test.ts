/** Copies for downloads: made, told of, deleted, or given up by name. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  ListMultipartUploadsCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { ChangeMessageVisibilityCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/transit.ts';
import { parseTransitEvent, transitDeletionBody, transitOrderBody } from '../../src/events/index.ts';
import { headError, queueError, s3Error, tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { queued } from '../fixtures/messages.ts';
import { ETAG, KEY_BASE64, STACK_KEY, TARGET_BUCKET, TARGET_OWNER, VERSION_ID } from '../fixtures/objects.ts';
import { ago, LETTERS_URL, NAME, ORDER, QUEUE_URL, TRANSIT_BUCKET, TRANSIT_OWNER, transitWorld } from '../fixtures/transit-world.ts';

const { kind: _, ...NAMED } = ORDER;
const order = transitOrderBody(ORDER);
/** The end of the second that S3 tells. */
const COPIED_AT = '2026-11-20T10:00:00.999Z';
const DELETION = {
  kind: 'transit-delete' as const,
  bucket: TARGET_BUCKET,
  key: ORDER.key,
  versionId: VERSION_ID,
  correlationId: ORDER.correlationId,
  copy: { name: NAME, etag: 'copied' },
};
const deletion = transitDeletionBody(DELETION);
const copies = (world: ReturnType<typeof transitWorld>) => world.s3.commandCalls(CopyObjectCommand).map(({ args }) => args[0].input);

describe('an order', () => {
  it('is the very version, opened with its key, under the key of the stack and a name that tells nothing', async () => {
    const world = transitWorld();
    expect(await world.deliver(order)).toBe(true);
    expect(copies(world)).toEqual([
      {
        Bucket: TRANSIT_BUCKET,
        ExpectedBucketOwner: TRANSIT_OWNER,
        Key: NAME,
        CopySource: `${TARGET_BUCKET}/cards/1?versionId=${VERSION_ID}`,
        ExpectedSourceBucketOwner: TARGET_OWNER,
        CopySourceIfMatch: ETAG,
        CopySourceSSECustomerAlgorithm: 'AES256',
        CopySourceSSECustomerKey: KEY_BASE64,
        MetadataDirective: 'COPY',
        TaggingDirective: 'COPY',
        AnnotationDirective: 'EXCLUDE',
        StorageClass: 'STANDARD',
        IfNoneMatch: '*',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: STACK_KEY,
        BucketKeyEnabled: true,
      },
    ]);
    expect(NAME).toMatch(/^[0-9a-f]{64}$/);
  });

  it('orders the end of its copy in a quarter of an hour, and is told of', async () => {
    const world = transitWorld();
    await world.deliver(order);
    expect(world.sent(QUEUE_URL)).toEqual([{ QueueUrl: QUEUE_URL, MessageBody: deletion, DelaySeconds: 900 }]);
    expect(auditEvents(world)).toEqual([
      {
        action: 'TransitCopied',
        outcome: 'success',
        bucket: TARGET_BUCKET,
        key: ORDER.key,
        versionId: VERSION_ID,
        actor: 'function/transit',
        at: COPIED_AT,
        recordedAt: expect.any(String),
        uniqueId: 'copied',
        correlationId: ORDER.correlationId,
        size: ORDER.size,
        encryption: { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
      },
    ]);
  });

  it('is done where a copy is there that can be handed out', async () => {
    const world = transitWorld({ copy: { etag: 'theirs', lastModified: ago(599) } });
    expect(await world.deliver(order)).toBe(true);
    expect([copies(world), auditEvents(world), world.sent(QUEUE_URL)]).toEqual([[], [], []]);
  });

  it('replaces a copy that is about to go, and no other', async () => {
    const world = transitWorld({ copy: { etag: 'old', lastModified: ago(600) } });
    expect(await world.deliver(order)).toBe(true);
    expect(copies(world)).toEqual([expect.objectContaining({ IfMatch: 'old' })]);
    expect(world.held.copy?.etag).toBe('copied');
  });

  it('takes the copy of whoever was faster', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).callsFake(async () => {
      world.held.copy = { etag: 'theirs', lastModified: ago(1) };
      throw Object.assign(s3Error('PreconditionFailed', 412), { Condition: 'If-None-Match' });
    });
    expect(await world.deliver(order)).toBe(true);
    expect(copies(world)).toHaveLength(1);
    // As whoever made it tells it, though another asked.
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'TransitCopied', uniqueId: 'theirs', at: '2026-11-20T09:59:59.999Z' }),
    ]);
  });

  it.each([
    ['gone', null],
    ['overwritten', { etag: 'another' }],
  ])('is done where the object is %s', async (_how, source) => {
    const world = transitWorld({ source });
    expect(await world.deliver(order)).toBe(true);
    expect([copies(world), auditEvents(world), world.sent(QUEUE_URL), world.sent(LETTERS_URL)]).toEqual([[], [], [], []]);
  });

  it('is done where the object went while it was being copied', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).rejects(s3Error('NoSuchVersion', 404));
    expect(await world.deliver(order)).toBe(true);
    expect([auditEvents(world), world.sent(QUEUE_URL)]).toEqual([[], []]);
  });

  it.each([
    [
      'its end cannot be ordered',
      (world: ReturnType<typeof transitWorld>) =>
        world.sqs.on(SendMessageCommand).rejectsOnce(queueError('ServiceUnavailable', 503)).resolves({}),
    ],
    [
      'it cannot be told of',
      (world: ReturnType<typeof transitWorld>) =>
        world.dynamodb.on(PutItemCommand).rejectsOnce(tableError('InternalServerError')).resolves({}),
    ],
  ])('comes again where %s, and is not copied twice', async (_what, breakIt) => {
    const world = transitWorld();
    breakIt(world);
    expect(await world.deliver(order)).toBe(false);
    expect(await world.deliver(order, 2)).toBe(true);
    expect(copies(world)).toHaveLength(1);
    expect(world.sent(QUEUE_URL).at(-1)).toMatchObject({ MessageBody: deletion, DelaySeconds: 900 });
    expect(auditEvents(world).at(-1)).toMatchObject({ action: 'TransitCopied', uniqueId: 'copied', at: COPIED_AT });
  });

  it('is given up by name where the key of the stack is disabled', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).rejects(s3Error('KMS.DisabledException', 400));
    expect(await world.deliver(order)).toBe(true);
    const [letter, ...others] = world.sent(LETTERS_URL);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      MessageBody: order,
      MessageAttributes: {
        code: { StringValue: 'kms-key-disabled' },
        cause: { StringValue: expect.stringContaining('KMS.DisabledException') },
        nextStep: { StringValue: expect.any(String) },
        key: { StringValue: ORDER.key },
        versionId: { StringValue: VERSION_ID },
      },
    });
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'TransitFailed', outcome: 'failure', code: 'kms-key-disabled', at: ORDER.requestedAt }),
    ]);
    expect(world.metrics.sum('Failures')).toBe(1);
  });

  it('is tried again where S3 is busy, and recorded as failed at its last delivery', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).rejects(s3Error('SlowDown', 503));
    expect(await world.deliver(order, 4)).toBe(false);
    expect(auditEvents(world)).toEqual([]);
    expect(await world.deliver(order, 5)).toBe(true);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitFailed', code: 'throttled' })]);
    expect(world.sent(LETTERS_URL)).toHaveLength(1);
  });

  it('is not given up before that is recorded', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).rejects(s3Error('KMS.DisabledException', 400));
    world.dynamodb.on(PutItemCommand).rejectsOnce(tableError('InternalServerError')).resolves({});
    expect([await world.deliver(order), world.sent(LETTERS_URL).length]).toEqual([false, 0]);
    expect([await world.deliver(order, 2), world.sent(LETTERS_URL).length]).toEqual([true, 1]);
  });

  it('is refused where S3 stored it otherwise than asked', async () => {
    const world = transitWorld();
    world.s3.on(CopyObjectCommand).resolves({ CopyObjectResult: { ETag: '"copied"' }, ServerSideEncryption: 'AES256' });
    await world.deliver(order);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitFailed', code: 'answer-mismatch' })]);
  });

  it('of an object that S3 serves as it is comes from nobody here', async () => {
    const world = transitWorld();
    world.s3.on(HeadObjectCommand, { Bucket: TARGET_BUCKET }).callsFake(async ({ SSECustomerKey }: HeadObjectCommandInput) => {
      if (SSECustomerKey !== undefined) throw headError(400);
      return { ETag: `"${ETAG}"`, ServerSideEncryption: 'aws:kms' };
    });
    await world.deliver(order);
    expect(copies(world)).toEqual([]);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitFailed', code: 'malformed-event' })]);
  });

  it('tells neither key nor bytes to anybody', async () => {
    const world = transitWorld();
    await world.deliver(order);
    world.s3.on(CopyObjectCommand).rejects(s3Error('AccessDenied', 403));
    world.held.copy = null;
    await world.deliver(order);
    const told = JSON.stringify([world.log.entries, world.sent(QUEUE_URL), world.sent(LETTERS_URL), auditEvents(world)]);
    expect(told).not.toContain(KEY_BASE64);
    expect(told).not.toContain('canary-key-material');
  });
});

describe('a deletion', () => {
  it('takes the copy that it means, and is told of', async () => {
    const world = transitWorld({ copy: { etag: 'copied', lastModified: ago(900) } });
    expect(await world.deliver(deletion)).toBe(true);
    expect(world.s3.commandCalls(DeleteObjectCommand).map(({ args }) => args[0].input)).toEqual([
      { Bucket: TRANSIT_BUCKET, ExpectedBucketOwner: TRANSIT_OWNER, Key: NAME, IfMatch: 'copied' },
    ]);
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'TransitDeleted', outcome: 'success', key: ORDER.key, versionId: VERSION_ID, uniqueId: 'copied' }),
    ]);
  });

  it('leaves a newer copy of the same name', async () => {
    const world = transitWorld({ copy: { etag: 'newer', lastModified: ago(10) } });
    expect(await world.deliver(deletion)).toBe(true);
    expect([world.held.copy?.etag, auditEvents(world)]).toEqual(['newer', []]);
  });

  it('of what is gone is done', async () => {
    const world = transitWorld();
    expect(await world.deliver(deletion)).toBe(true);
    expect(auditEvents(world)).toEqual([]);
  });

  it('that could not be told of comes again, and is', async () => {
    const world = transitWorld({ copy: { etag: 'copied', lastModified: ago(900) } });
    world.dynamodb.on(PutItemCommand).rejectsOnce(tableError('InternalServerError')).resolves({});
    expect(await world.deliver(deletion)).toBe(false);
    expect(await world.deliver(deletion, 2)).toBe(true);
    expect(auditEvents(world).at(-1)).toMatchObject({ action: 'TransitDeleted', outcome: 'success' });
  });

  it('that is refused is a dead letter', async () => {
    const world = transitWorld({ copy: { etag: 'copied', lastModified: ago(900) } });
    world.s3.on(DeleteObjectCommand).rejects(s3Error('AccessDenied', 403));
    expect(await world.deliver(deletion)).toBe(true);
    expect(world.sent(LETTERS_URL)[0]?.MessageAttributes?.code?.StringValue).toBe('access-denied');
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitFailed', code: 'access-denied' })]);
  });
});

describe('a message', () => {
  it('comes back as it was sent', () => {
    const read = (body: string) => parseTransitEvent(queued([body]), TARGET_BUCKET)[0]?.content;
    expect(read(order)).toEqual({ items: [ORDER] });
    expect(read(deletion)).toEqual({ items: [DELETION] });
  });

  it.each([
    ['of another version', { ...JSON.parse(order), version: 2 }],
    ['of another kind', { ...JSON.parse(order), kind: 'more' }],
    ['without a version id', { ...NAMED, kind: 'transit', version: 1, versionId: '' }],
    ['with a key that none can have', { ...JSON.parse(order), key: '\ud800' }],
    ['that names a copy of another bucket', { ...JSON.parse(deletion), copy: { name: '../other', etag: 'copied' } }],
    ['that is no JSON', 'nothing'],
  ])('%s is a dead letter', async (_what, body) => {
    const world = transitWorld({ copy: { etag: 'copied', lastModified: ago(900) } });
    expect(await world.deliver(body)).toBe(true);
    expect(world.sent(LETTERS_URL)[0]?.MessageAttributes?.code?.StringValue).toBe('malformed-event');
    expect(world.s3.calls()).toEqual([]);
  });
});

describe('an order of many parts', () => {
  const SIZE = 2_050;
  const large = transitOrderBody({ ...ORDER, size: SIZE });
  const asked = { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: STACK_KEY, BucketKeyEnabled: true };

  /** @param began seconds ago: an upload of the same name that is there */
  function partsWorld(began: number | null) {
    const world = transitWorld();
    const { s3, held } = world;
    s3.on(HeadObjectCommand, { Bucket: TARGET_BUCKET, SSECustomerKey: KEY_BASE64 }).resolves({
      ETag: `"${ETAG}"`,
      ContentLength: SIZE,
      SSECustomerAlgorithm: 'AES256',
    });
    s3.on(GetObjectTaggingCommand).resolves({ TagSet: [] });
    const Uploads = began === null ? [] : [{ Key: NAME, UploadId: 'theirs', Initiated: ago(began) }];
    s3.on(ListMultipartUploadsCommand).resolves({ Uploads });
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'ours', ...asked });
    s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: '"part"' }, ...asked });
    s3.on(CompleteMultipartUploadCommand).callsFake(async () => {
      held.copy = { etag: 'done-21', lastModified: ago(2) };
      return { ETag: '"done-21"', ChecksumCRC64NVME: 'AAAAAAAAAAA=', ChecksumType: 'FULL_OBJECT', ...asked };
    });
    return world;
  }
  const ended = (world: ReturnType<typeof transitWorld>) =>
    world.s3.commandCalls(AbortMultipartUploadCommand).map(({ args }) => args[0].input.UploadId);

  it('is copied in all of them, each opened with its key', async () => {
    const world = partsWorld(null);
    expect(await world.deliver(large)).toBe(true);
    const parts = world.s3.commandCalls(UploadPartCopyCommand).map(({ args }) => args[0].input);
    expect(parts).toHaveLength(21);
    for (const part of parts)
      expect(part).toMatchObject({ Bucket: TRANSIT_BUCKET, Key: NAME, CopySourceSSECustomerKey: KEY_BASE64, CopySourceIfMatch: ETAG });
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitCopied', uniqueId: 'done-21', size: SIZE })]);
  });

  it('waits while another function is at it', async () => {
    const world = partsWorld(299);
    expect(await world.deliver(large)).toBe(false);
    expect(world.sqs.commandCalls(ChangeMessageVisibilityCommand)[0]?.args[0].input.VisibilityTimeout).toBe(90);
    expect([ended(world), world.s3.commandCalls(CreateMultipartUploadCommand).length]).toEqual([[], 0]);
  });

  it('begins anew once that one must be dead', async () => {
    const world = partsWorld(301);
    expect(await world.deliver(large)).toBe(true);
    expect(ended(world)).toEqual(['theirs']);
  });

  it('leaves no upload where a part fails', async () => {
    const world = partsWorld(null);
    world.s3.on(UploadPartCopyCommand).rejects(s3Error('KMS.DisabledException', 400));
    expect(await world.deliver(large)).toBe(true);
    expect(ended(world)).toEqual(['ours']);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'TransitFailed', code: 'kms-key-disabled' })]);
  });

  it('that one life is not enough for is tried again from its beginning', async () => {
    const world = partsWorld(null);
    const stop = new AbortController();
    world.s3.on(UploadPartCopyCommand).callsFake(async () => {
      stop.abort();
      return { CopyPartResult: { ETag: '"part"' }, ...asked };
    });
    const handle = createHandler(() => ({ ...world.deps, stop: stop.signal, limits: { ...world.deps.limits, parallelParts: 1 } }));
    expect((await handle(queued([large]))).batchItemFailures).toHaveLength(1);
    expect(ended(world)).toEqual(['ours']);
    expect(world.log.entries).toContainEqual(
      expect.objectContaining({ message: 'not copied', fields: expect.objectContaining({ code: 'time-out' }) }),
    );
  });
});
