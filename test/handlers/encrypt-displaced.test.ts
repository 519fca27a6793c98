/** Former bytes that come back under SSE-S3: the one way in which an older source's copy takes a newer one's place, and what puts it right. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, type CopyObjectCommandInput, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import type { ObjectRecord } from '../../src/audit/object-record.ts';
import { headError, honestCopy, queueError } from '../fixtures/aws.ts';
import {
  auditEvents,
  claimOf,
  copyInputs,
  deadLetters,
  encryptWorld,
  objectRecords,
  ownMessages,
  QUEUE_URL,
  recordOf,
} from '../fixtures/encrypt-world.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { ETAG, KEY_VERSION, STACK_KEY } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };
const KEY = 'plain/switch.txt';

const record = (sequencer: string) => recordOf(sequencer, { key: KEY });
const message = (sequencer: string, delivery = 1) => queued([notification({ key: KEY, sequencer })], delivery);

/** @param etag of the target's current object */
function encrypting(etag = ETAG) {
  const world = encryptWorld();
  world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: encodeURIComponent(KEY), ETag: `"${etag}"` }] });
  world.s3.on(HeadObjectCommand).rejects(headError(412));
  return { world, run: createHandler(() => world.deps) };
}

/** A copy that a newer source is recorded before: its ETag was that of the bytes that this one was to replace. */
async function overtaken() {
  const { world, run } = encrypting();
  await world.remember([], [record('04')]);
  world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
    await world.deps.records.append([record('06')]);
    world.dynamodb.resetHistory();
    return honestCopy(input);
  });
  return { world, run };
}

const refsOf = (world: ReturnType<typeof encryptWorld>) =>
  ownMessages(world).map(({ MessageBody, DelaySeconds }) => [JSON.parse(MessageBody ?? '').object.sequencer, DelaySeconds]);

describe('a copy that took the place of a newer one', () => {
  it('is neither recorded nor told of, and the newer source is sent again at once', async () => {
    const { world, run } = await overtaken();
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(refsOf(world)).toEqual([['06', undefined]]);
    expect([objectRecords(world), auditEvents(world), deadLetters(world)]).toEqual([[], [], []]);
    expect(world.log.entries.map(({ message: text, fields }) => [text, fields.reason])).toEqual([['skipped', 'superseded']]);
  });

  it('comes back where the newer source could not be sent', async () => {
    const { world, run } = await overtaken();
    world.sqs.on(SendMessageCommand, { QueueUrl: QUEUE_URL }).rejects(queueError('InternalError', 500));
    expect(await run(message('05'))).toEqual(RETRY);
  });

  it('and was replaced in its turn sends nothing', async () => {
    const { world, run } = await overtaken();
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: encodeURIComponent(KEY), ETag: '"etag-of-06"' }] });
    world.s3.on(HeadObjectCommand).resolves({ VersionId: 'version-of-06' });
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(ownMessages(world)).toEqual([]);
    expect(objectRecords(world)).toEqual([]);
  });

  it('is found by its message if that comes again, whoever died right after the copy', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('05', { key: KEY })], [record('06'), record('04')]);
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(refsOf(world)).toEqual([['06', undefined]]);
    expect(copyInputs(world)).toEqual([]);
  });

  it('found by its message brings that back where the newer source could not be sent', async () => {
    const { world, run } = encrypting();
    await world.remember([], [record('06')]);
    world.sqs.on(SendMessageCommand, { QueueUrl: QUEUE_URL }).rejects(queueError('InternalError', 500));
    expect(await run(message('05', 2))).toEqual(RETRY);
  });
});

describe('a displaced source that was sent again', () => {
  it('is copied over what stands in its place, and recorded and told as before', async () => {
    const { world, run } = encrypting('etag-of-05');
    await world.remember([], [record('06')]);
    await run(message('05', 2));
    world.dynamodb.resetHistory();
    expect(await run(queued([ownMessages(world)[0]?.MessageBody]))).toEqual(NO_FAILURES);
    expect(copyInputs(world).map(({ IfMatch, IfNoneMatch }) => IfMatch ?? IfNoneMatch)).toEqual(['etag-of-05']);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ etag: ETAG, source: record('06').source })]);
    expect(auditEvents(world)).toMatchObject([{ action: 'ObjectEncrypted', uniqueId: '06', at: '2026-11-20T09:30:15.123Z' }]);
  });

  it('leaves a newer one that came meanwhile in its place', async () => {
    const { world, run } = encrypting('etag-of-05');
    await world.remember([], [record('06')]);
    await run(message('05', 2));
    await world.remember([], [record('07')]);
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: encodeURIComponent(KEY), ETag: '"etag-of-07"' }] });
    world.s3.on(HeadObjectCommand).resolves({ VersionId: 'version-of-07' });
    expect(await run(queued([ownMessages(world)[0]?.MessageBody]))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toEqual([]);
    expect(ownMessages(world)).toHaveLength(1);
  });
});

describe('after a commit', () => {
  const SSE_KMS: ObjectRecord['encryption'] = { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true };

  it.each<[string, string, ObjectRecord['encryption'] | null, number]>([
    ['under SSE-S3 that replaced a copy', 'plain/a', { mode: 'sse-s3' }, 2],
    ['under SSE-S3 that replaced one of another mode', 'plain/a', SSE_KMS, 2],
    ['under another mode that replaced one under SSE-S3', 'reports/a', { mode: 'sse-s3' }, 2],
    ['under SSE-S3 that replaced nothing', 'plain/a', null, 1],
    ['under SSE-KMS', 'reports/a', SSE_KMS, 1],
    ['under DSSE-KMS', 'dsse/a', { mode: 'dsse-kms', keyArn: STACK_KEY }, 1],
    ['under SSE-C', 'cards/a', { mode: 'sse-c', customerKeyVersion: KEY_VERSION }, 1],
  ])('%s (%s in place of %j) the records were looked at in all: %d times', async (_what, key, replaced, looks) => {
    const { world, run } = encrypting();
    await world.remember([], replaced === null ? [] : [recordOf('04', { key, encryption: replaced })]);
    expect(await run(queued([notification({ key, sequencer: '05' })]))).toEqual(NO_FAILURES);
    expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(looks);
    expect(objectRecords(world)).toHaveLength(1);
  });

  it('under another mode the copy counts, though a newer source was claimed during it', async () => {
    const { world, run } = encrypting();
    const key = 'reports/a';
    await world.remember([], [recordOf('04', { key, encryption: SSE_KMS })]);
    world.s3.on(CopyObjectCommand).callsFake(async (input: CopyObjectCommandInput) => {
      await world.deps.records.claim([claimOf('06', { key })]);
      return honestCopy(input);
    });
    expect(await run(queued([notification({ key, sequencer: '05' })]))).toEqual(NO_FAILURES);
    expect(auditEvents(world).map(({ action }) => action)).toEqual(['ObjectEncrypted']);
    expect(objectRecords(world).map(({ source }) => source.sequencer)).toEqual(['05']);
  });
});
