/** Large objects through the function: what becomes of a copy that takes longer than one invocation. */
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { honestCopy, queueError, s3Error, tableError } from '../fixtures/aws.ts';
import {
  auditEvents,
  claims,
  deadCodes,
  deadLetters,
  encryptWorld,
  MAX_RECEIVE_COUNT,
  objectRecords,
  ownMessages,
  PART_BYTES,
  PARTS_ABOVE_BYTES,
  QUEUE_URL,
  recordOf,
} from '../fixtures/encrypt-world.ts';
import { keepUploads } from '../fixtures/honest-upload.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { ETAG } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };

const KEY = 'plain/large.bin';
const SIZE = PARTS_ABOVE_BYTES + 1;
const PARTS = PARTS_ABOVE_BYTES / PART_BYTES + 1;
const message = (delivery = 1) => queued([notification({ key: KEY, size: SIZE, sequencer: '05' })], delivery);

/** Copies of one part after another, by functions whose time ends with the given part of each; 0: before the first. */
function copying() {
  const world = encryptWorld();
  keepUploads(world.s3, SIZE);
  const limits = { ...world.deps.limits, parallelParts: 1 };
  const copied = () => world.s3.commandCalls(UploadPartCopyCommand).map((call) => call.args[0].input.PartNumber);
  const run = (event: unknown, endsWithPart = Number.POSITIVE_INFINITY) => {
    const time = new AbortController();
    const { s3 } = world.deps;
    const send = s3.send.bind(s3);
    const timed = Object.assign(Object.create(s3) as typeof s3, {
      async send(...args: Parameters<typeof send>) {
        const answer = await send(...args);
        const [{ input }] = args;
        if ('PartNumber' in input && Number(input.PartNumber) >= endsWithPart) time.abort();
        return answer;
      },
    });
    if (endsWithPart === 0) time.abort();
    return createHandler(() => ({ ...world.deps, s3: timed, limits, stop: time.signal }))(event);
  };
  const calls = (command: Parameters<typeof world.s3.commandCalls>[0]) => world.s3.commandCalls(command).length;
  /** What the function sent itself, as its queue brings it. */
  const continued = () => queued([ownMessages(world).at(-1)?.MessageBody]);
  return { world, run, copied, calls, continued };
}

describe('a large object', () => {
  it('is copied in parts, of which the claim tells before the first of them', async () => {
    const { world, run, calls, copied } = copying();
    const order: string[] = [];
    world.dynamodb.on(PutItemCommand).callsFake(async ({ Item }) => {
      order.push(Item.claim?.M.upload?.M.uploadId.S ?? Object.keys(Item).at(-1));
      expect(copied()).toHaveLength(order.length > 2 ? PARTS : 0);
      return {};
    });
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(order).toEqual(['claim', 'upload-1', 'event', 'record']);
    expect([calls(CreateMultipartUploadCommand), calls(CompleteMultipartUploadCommand), calls(CopyObjectCommand)]).toEqual([1, 1, 0]);
    expect(objectRecords(world)).toEqual([
      expect.objectContaining({ key: KEY, etag: `${ETAG}-${PARTS}`, uploadId: 'upload-1', proof: 'checksum-compared', size: SIZE }),
    ]);
  });

  it('whose claim cannot tell of its upload is not copied, and leaves no upload', async () => {
    const { world, run, calls, copied } = copying();
    world.dynamodb.on(PutItemCommand).resolvesOnce({}).rejects(tableError('InternalServerError'));
    expect(await run(message())).toEqual(RETRY);
    expect(copied()).toEqual([]);
    expect(calls(AbortMultipartUploadCommand)).toBe(1);
  });

  it('that fails for good leaves neither an upload nor a claim that others wait for', async () => {
    const { world, run, calls } = copying();
    world.s3.on(UploadPartCopyCommand, { PartNumber: 3 }).rejects(s3Error('NoSuchVersion', 404));
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['source-gone']);
    expect(calls(AbortMultipartUploadCommand)).toBe(1);
    expect(claims(world).at(-1)).toMatchObject({ ended: true });
  });

  it('does not hold up the records of the small ones in its batch', async () => {
    const { world, run } = copying();
    // Its parts are not copied before the small one is recorded.
    let recorded = () => {};
    const smallRecord = new Promise<void>((resolve) => {
      recorded = resolve;
    });
    const { append } = world.deps.records;
    world.deps.records.append = async (records, ended) => {
      await append(records, ended);
      if (records.some(({ key }) => key === 'plain/small')) recorded();
    };
    world.s3.on(UploadPartCopyCommand).callsFake(async ({ PartNumber }) => {
      await smallRecord;
      return { CopyPartResult: { ETag: `"part-${PartNumber}"` }, ServerSideEncryption: 'AES256' };
    });
    world.s3.on(CompleteMultipartUploadCommand).rejects(s3Error('SlowDown', 503));
    world.s3.on(CopyObjectCommand).callsFake(async (input) => honestCopy(input));
    const bodies = [
      { key: KEY, size: SIZE },
      { key: 'plain/small', size: 1 },
    ];
    expect(await run(queued(bodies.map((body) => notification(body))))).toEqual(RETRY);
    expect(objectRecords(world).map(({ key }) => key)).toEqual(['plain/small']);
  });
});

describe('a copy that its time was too short for', () => {
  it('goes on by a message to the own queue, and then the old one is done', async () => {
    const { world, run, copied, calls } = copying();
    expect(await run(message(), 2)).toEqual(NO_FAILURES);
    expect(copied()).toEqual([1, 2]);
    const [sent, ...more] = ownMessages(world);
    expect(more).toEqual([]);
    expect(sent).toEqual({ QueueUrl: QUEUE_URL, MessageBody: expect.any(String) });
    expect(JSON.parse(sent?.MessageBody ?? '')).toMatchObject({
      object: { key: KEY, sequencer: '05' },
      upload: { uploadId: 'upload-1', copiedParts: 2, parts: PARTS },
    });
    expect(calls(AbortMultipartUploadCommand)).toBe(0);
    expect([auditEvents(world), objectRecords(world), deadLetters(world)]).toEqual([[], [], []]);
  });

  it('has not failed: it is counted and logged as to be continued', async () => {
    const { world, run } = copying();
    await run(message(), 2);
    expect(world.metrics.figures).toEqual([{ name: 'CopiesContinued', value: 1, by: {} }]);
    expect(world.log.entries).toEqual([
      { level: 'info', message: 'to be continued', fields: expect.objectContaining({ key: KEY, copiedParts: 2, parts: PARTS }) },
    ]);
  });

  it('comes back where no message could be sent', async () => {
    const { world, run, calls } = copying();
    world.sqs.on(SendMessageCommand).rejects(queueError('InternalError', 500));
    expect(await run(message(), 2)).toEqual(RETRY);
    expect(calls(AbortMultipartUploadCommand)).toBe(0);
    expect(claims(world).at(-1)).toMatchObject({ upload: { uploadId: 'upload-1' } });
  });

  it('goes on also at its last delivery, as a fresh message', async () => {
    const { world, run } = copying();
    expect(await run(message(MAX_RECEIVE_COUNT), 2)).toEqual(NO_FAILURES);
    expect(ownMessages(world)).toHaveLength(1);
    expect([auditEvents(world), deadLetters(world)]).toEqual([[], []]);
  });

  it('before any part is retried by its queue, and not told to go on', async () => {
    const { world, run } = copying();
    expect(await run(message(), 0)).toEqual(RETRY);
    expect(ownMessages(world)).toEqual([]);
    expect(world.log.entries).toEqual([expect.objectContaining({ fields: expect.objectContaining({ code: 'time-out' }) })]);
  });
});

describe('a continuation', () => {
  it('goes on from the parts that S3 lists, in the same upload', async () => {
    const { world, run, copied, calls, continued } = copying();
    await run(message(), 2);
    expect(await run(continued())).toEqual(NO_FAILURES);
    expect(copied()).toEqual([1, 2, 3, 4, 5]);
    expect([calls(CreateMultipartUploadCommand), calls(ListPartsCommand), calls(CompleteMultipartUploadCommand)]).toEqual([1, 1, 1]);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ key: KEY, uploadId: 'upload-1' })]);
    // What is told of it is what the first event told.
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({
        action: 'ObjectEncrypted',
        at: '2026-11-20T09:30:15.123Z',
        correlationId: 'N4N7GDK58NMKJ12R',
        uniqueId: '05',
      }),
    ]);
  });

  it('is continued as often as it takes', async () => {
    const { world, run, copied, continued } = copying();
    await run(message(), 1);
    for (const part of [2, 3, 4]) await run(continued(), part);
    expect(objectRecords(world)).toEqual([]);
    await run(continued());
    expect(copied()).toEqual([1, 2, 3, 4, 5]);
    expect(objectRecords(world)).toHaveLength(1);
  });

  it('and the message that it took the place of may both live: what is recorded is copied once', async () => {
    const { world, run, copied, continued } = copying();
    await run(message(), 2);
    await run(continued());
    expect(await run(message(2))).toEqual(NO_FAILURES);
    expect(copied()).toHaveLength(PARTS);
    expect(objectRecords(world)).toHaveLength(1);
  });

  it('that is superseded ends its upload', async () => {
    const { world, run, copied, calls, continued } = copying();
    await run(message(), 2);
    await world.remember([], [recordOf('06', { key: KEY })]);
    expect(await run(continued())).toEqual(NO_FAILURES);
    expect(copied()).toHaveLength(2);
    expect(calls(AbortMultipartUploadCommand)).toBe(1);
    expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(1);
    expect(objectRecords(world)).toEqual([]);
  });

  it('begins anew where its upload is gone', async () => {
    const { world, run, copied, calls, continued } = copying();
    await run(message(), 2);
    world.s3.on(ListPartsCommand).rejects(s3Error('NoSuchUpload', 404));
    expect(await run(continued())).toEqual(NO_FAILURES);
    expect(copied()).toEqual([1, 2, 1, 2, 3, 4, 5]);
    expect(calls(CreateMultipartUploadCommand)).toBe(2);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ uploadId: 'upload-2' })]);
  });
});
