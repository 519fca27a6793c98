/** A copy that an attempt made and died after: a message that comes again finds it, and records it or comes back. */
import { PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, GetBucketVersioningCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { s3Error, tableError } from '../fixtures/aws.ts';
import {
  auditEvents,
  claimOf,
  copyInputs,
  deadCodes,
  encryptWorld,
  MAX_RECEIVE_COUNT,
  objectRecords,
  POLICY,
  recordOf,
} from '../fixtures/encrypt-world.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { STACK_KEY } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };
const SLOW = s3Error('SlowDown', 503);

type World = ReturnType<typeof encryptWorld>;

/** Source 05 is recorded, and the target holds an equal copy that nobody recorded. */
async function adopting() {
  const world = encryptWorld(`${POLICY}\nsource: delete\n`);
  world.s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
  world.s3.on(DeleteObjectCommand).resolves({});
  world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"unrecorded"' }] });
  world.s3.on(HeadObjectCommand).resolves({
    ContentLength: 12,
    VersionId: 'v9',
    ServerSideEncryption: 'AES256',
    ChecksumCRC64NVME: 'ODg4ODg4ODg=',
    ChecksumType: 'FULL_OBJECT',
  });
  await world.remember([claimOf('05')], [recordOf('05')]);
  const deleted = () => world.s3.commandCalls(DeleteObjectCommand).length;
  const run = createHandler(() => world.deps);
  return { world, deleted, run: (delivery: number) => run(queued([notification({ sequencer: '05' })], delivery)) };
}

describe('the record of an adopted copy', () => {
  it('is written before the source is deleted', async () => {
    const { world, run } = await adopting();
    const order: string[] = [];
    world.dynamodb.on(PutItemCommand).callsFake(async ({ Item = {} }: PutItemCommandInput) => {
      order.push(Item.event?.M?.action?.S ?? Item.record?.M?.etag?.S ?? 'claim');
      return {};
    });
    world.s3.on(DeleteObjectCommand).callsFake(async () => {
      order.push('delete');
      return {};
    });
    expect(await run(2)).toEqual(NO_FAILURES);
    expect(order).toEqual(['unrecorded', 'delete', 'SourceDeleted']);
    expect(copyInputs(world)).toEqual([]);
  });

  it('that the table refuses brings the message back, and the source is kept', async () => {
    const { world, run, deleted } = await adopting();
    world.dynamodb.on(PutItemCommand).rejects(tableError('ProvisionedThroughputExceededException'));
    expect(await run(2)).toEqual(RETRY);
    expect(objectRecords(world)).toHaveLength(1);
    expect(deleted()).toBe(0);
  });

  it('that the table refuses to the last is a dead letter, and the source is kept', async () => {
    const { world, run, deleted } = await adopting();
    world.dynamodb.on(PutItemCommand).rejects(tableError('ProvisionedThroughputExceededException'));
    expect(await run(MAX_RECEIVE_COUNT)).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['audit-unavailable']);
    expect(deleted()).toBe(0);
  });
});

describe('an adoption that fails', () => {
  it('for a moment brings the message back, and the source is kept', async () => {
    const { world, run, deleted } = await adopting();
    world.s3.on(ListObjectsV2Command).rejects(SLOW);
    expect(await run(MAX_RECEIVE_COUNT - 1)).toEqual(RETRY);
    expect([auditEvents(world), deadCodes(world), deleted()]).toEqual([[], [], 0]);
  });

  it.each<[string, (world: World) => unknown]>([
    ['cannot be listed', ({ s3 }) => s3.on(ListObjectsV2Command).rejects(SLOW)],
    ['may not be listed', ({ s3 }) => s3.on(ListObjectsV2Command).rejects(s3Error('AccessDenied', 403))],
    ['tells nothing of its object', ({ s3 }) => s3.on(HeadObjectCommand).rejects(SLOW)],
  ])('at the last try since the target %s is no failure: its object is encrypted and recorded', async (_why, fail) => {
    const { world, run } = await adopting();
    fail(world);
    expect(await run(MAX_RECEIVE_COUNT)).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual([]);
    expect(auditEvents(world).map(({ action }) => action)).toEqual(['SourceDeleted']);
    expect(world.log.entries.map(({ message, fields }) => [message, fields.reason])).toEqual([['skipped', 'encrypted already']]);
  });
});

describe('a recorded source', () => {
  it.each(['05', '06'])('is no failure where the target may not be looked at; recorded is %s', async (recorded) => {
    const world = encryptWorld();
    await world.remember([], [recordOf(recorded)]);
    world.s3.on(ListObjectsV2Command).rejects(s3Error('AccessDenied', 403));
    await createHandler(() => world.deps)(queued([notification({ sequencer: '05' })], 2));
    expect({ dead: deadCodes(world), events: auditEvents(world) }).toEqual({ dead: [], events: [] });
  });

  it('does not take the place of a newer one that is committed and not recorded yet', async () => {
    const key = 'plain/a';
    const world = encryptWorld();
    await world.remember([claimOf('05', { key }), claimOf('06', { key })], [recordOf('05', { key })]);
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: encodeURIComponent(key), ETag: '"copy-of-06"' }] });
    world.s3.on(HeadObjectCommand).resolves({ ContentLength: 13, VersionId: 'v6', ServerSideEncryption: 'AES256' });
    await createHandler(() => world.deps)(queued([notification({ key, sequencer: '05' })], 2));
    expect(copyInputs(world)).toEqual([]);
  });

  it('is copied again where a message that comes again finds something else in its place', async () => {
    const world = encryptWorld();
    const encryption = { mode: 'sse-kms' as const, keyArn: STACK_KEY, bucketKey: true };
    await world.remember([claimOf('05')], [recordOf('05', { encryption })]);
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"in-the-clear"' }] });
    world.s3.on(HeadObjectCommand).resolves({ ContentLength: 12, VersionId: 'v9', ServerSideEncryption: 'AES256' });
    await createHandler(() => world.deps)(queued([notification({ sequencer: '05' })], 2));
    expect(copyInputs(world).map(({ IfMatch }) => IfMatch)).toEqual(['in-the-clear']);
  });
});
