/** The last write wins: what the function does with a source of which it, or a newer one, somebody else has been. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { CLAIM_LIFETIME_MS } from '../../src/audit/object-record.ts';
import { honestCopy, queueError, s3Error } from '../fixtures/aws.ts';
import {
  auditEvents,
  claimOf,
  claims,
  copyInputs,
  deadCodes,
  deadLetters,
  encryptWorld,
  MAX_RECEIVE_COUNT,
  objectRecords,
  ownMessages,
  QUEUE_URL,
  recordOf,
  waits,
} from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { bridged, notification, queued } from '../fixtures/messages.ts';
import { ETAG, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };

function encrypting() {
  const world = encryptWorld();
  return { world, run: createHandler(() => world.deps) };
}

const message = (sequencer: string, delivery = 1) => queued([notification({ sequencer })], delivery);
const skipReasons = ({ log }: ReturnType<typeof encryptWorld>) => log.entries.map(({ message: text, fields }) => [text, fields.reason]);

describe('a duplicate', () => {
  it('costs one Query and nothing else', async () => {
    const { world, run } = encrypting();
    await run(message('05'));
    const clients = [world.s3, world.dynamodb, world.sqs, world.kms, world.secretsManager];
    for (const client of clients) client.resetHistory();
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(world.dynamodb.commandCalls(QueryCommand)).toHaveLength(1);
    expect(clients.map((client) => client.calls().length)).toEqual([0, 1, 0, 0, 0]);
    expect(skipReasons(world)).toEqual([
      ['encrypted', undefined],
      ['skipped', 'encrypted already'],
    ]);
    expect(world.metrics.sum('EventsSkipped')).toBe(1);
  });
});

describe('a copy that is not as asked', () => {
  it('is told, although another delivery of its event has recorded one that is: it may have taken its place', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).callsFake(async (input) => {
      await world.remember([], [recordOf('05')]);
      return { ...honestCopy(input), ServerSideEncryption: undefined };
    });
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['answer-mismatch']);
    expect(auditEvents(world).map(({ action }) => action)).toContain('EncryptionFailed');
  });
});

describe('an older source', () => {
  it('of which a newer one is recorded is skipped without a copy', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06')], [recordOf('06')]);
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(world.dynamodb.calls()).toHaveLength(1);
    expect(world.s3.calls()).toHaveLength(0);
    expect(skipReasons(world)).toEqual([['skipped', 'superseded']]);
  });

  it.each([
    [1, 4],
    [2, 15],
    [3, 90],
    [4, 900],
  ])('waits while a newer one is being encrypted: after its delivery %d for %d seconds', async (delivery, seconds) => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06')]);
    expect(await run(message('05', delivery))).toEqual(RETRY);
    expect(waits(world)).toEqual([seconds]);
    expect(world.s3.calls()).toHaveLength(0);
    expect(claims(world)).toEqual([]);
  });

  it('that waits has not failed, in no event, figure or dead letter', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06')]);
    await run(message('05'));
    expect(auditEvents(world)).toEqual([]);
    expect(world.metrics.figures).toEqual([]);
    expect(deadLetters(world)).toEqual([]);
    expect(world.log.entries).toEqual([
      { level: 'info', message: 'waiting', fields: expect.objectContaining({ code: 'newer-under-way', key: 'reports/summary.txt' }) },
    ]);
  });

  it.each([
    ['at its last delivery', () => message('05', MAX_RECEIVE_COUNT)],
    ['without a queue', () => event('s3-put')],
  ])('that still waits %s looks again as a fresh message, a quarter of an hour later', async (_when, made) => {
    const { world, run } = encrypting();
    const key = 'reports/2026/annual report.pdf';
    await world.remember([claimOf('06'), claimOf('FF65A1B2C3D4E5F607', { key })]);
    expect(await run(made())).toEqual(NO_FAILURES);
    expect(ownMessages(world)).toEqual([{ QueueUrl: QUEUE_URL, MessageBody: expect.any(String), DelaySeconds: 900 }]);
    expect([deadLetters(world), auditEvents(world), waits(world), world.metrics.figures]).toEqual([[], [], [], []]);
  });

  it('that sent itself a fresh message is encrypted by it once the newer one came to nothing', async () => {
    const { world, run } = encrypting();
    const newer = claimOf('06');
    await world.remember([newer]);
    await run(message('05', MAX_RECEIVE_COUNT));
    await world.remember([{ ...newer, ended: true }]);
    expect(await run(queued([ownMessages(world)[0]?.MessageBody]))).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toEqual([expect.objectContaining({ source: expect.objectContaining({ sequencer: '05' }) })]);
  });

  it('that cannot send itself a fresh message is a dead letter, not lost', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06')]);
    world.sqs.on(SendMessageCommand, { QueueUrl: QUEUE_URL }).rejects(queueError('AccessDenied', 403));
    expect(await run(message('05', MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['access-denied']);
  });

  it.each([
    ['has ended', { ended: true as const }],
    ['is too old to be alive', { claimedAt: new Date(Date.now() - CLAIM_LIFETIME_MS).toISOString() }],
  ])('is copied where the claim of the newer one %s', async (_what, changes) => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06', changes)]);
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toHaveLength(1);
  });
});

describe('a copy', () => {
  it('is made only where the target has none, as long as none is recorded', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06')]);
    await run(message('07'));
    const [input] = copyInputs(world);
    expect(input).toMatchObject({ IfNoneMatch: '*' });
    expect(input).not.toHaveProperty('IfMatch');
  });

  it('replaces only what the newest record says', async () => {
    const { world, run } = encrypting();
    await world.remember([], [recordOf('03'), recordOf('04')]);
    await run(message('05'));
    const [input] = copyInputs(world);
    expect(input).toMatchObject({ IfMatch: 'etag-of-04' });
    expect(input).not.toHaveProperty('IfNoneMatch');
  });

  it('under another condition follows where the target was found changed and nothing newer came', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand, { IfNoneMatch: '*' }).rejects(s3Error('PreconditionFailed', 412));
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"found"' }] });
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(copyInputs(world).map(({ IfMatch, IfNoneMatch }) => IfMatch ?? IfNoneMatch)).toEqual(['*', 'found']);
    expect(world.s3.commandCalls(ListObjectsV2Command)[0]?.args[0].input).toMatchObject({
      Bucket: TARGET_BUCKET,
      ExpectedBucketOwner: TARGET_OWNER,
      Prefix: 'reports/summary.txt',
    });
    expect(objectRecords(world)).toHaveLength(1);
  });

  it('is not made any more where a newer one was recorded meanwhile', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).callsFake(async () => {
      await world.deps.records.append([recordOf('06')]);
      throw s3Error('PreconditionFailed', 412);
    });
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"etag-of-06"' }] });
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toHaveLength(1);
    expect(skipReasons(world)).toEqual([['skipped', 'superseded']]);
    expect(auditEvents(world)).toEqual([]);
  });

  it('waits where a newer one was claimed meanwhile', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).callsFake(async () => {
      await world.deps.records.claim([claimOf('06')]);
      throw s3Error('PreconditionFailed', 412);
    });
    world.s3.on(ListObjectsV2Command).resolves({});
    expect(await run(message('05'))).toEqual(RETRY);
    expect(waits(world)).toEqual([4]);
    expect(auditEvents(world)).toEqual([]);
  });
});

describe('a failure', () => {
  const GONE = s3Error('NoSuchKey', 404);

  it('of a source that another delivery has copied meanwhile is none', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).callsFake(async () => {
      await world.deps.records.append([recordOf('05')]);
      throw GONE;
    });
    expect(await run(message('05'))).toEqual(NO_FAILURES);
    expect(deadLetters(world)).toEqual([]);
    expect(auditEvents(world)).toEqual([]);
    expect(skipReasons(world)).toEqual([['skipped', 'encrypted already']]);
  });

  it('of a source, while a newer one is being encrypted, is told only once that came to nothing', async () => {
    const { world, run } = encrypting();
    const newer = claimOf('06');
    let copies = 0;
    world.s3.on(CopyObjectCommand).callsFake(async () => {
      copies += 1;
      if (copies === 1) await world.deps.records.claim([newer]);
      throw GONE;
    });
    expect(await run(message('05'))).toEqual(RETRY);
    expect([auditEvents(world), deadLetters(world)]).toEqual([[], []]);
    await world.remember([{ ...newer, ended: true }]);
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'EncryptionFailed', code: 'source-gone' })]);
    expect(deadLetters(world)).toHaveLength(1);
  });
});

describe('a source that changed since its event', () => {
  const CHANGED = Object.assign(s3Error('PreconditionFailed', 412), { Condition: 'x-amz-copy-source-if-match' });

  it.each([
    [1, 4],
    [2, 15],
    [3, 90],
    [4, 900],
  ])('waits for its newer event: after its delivery %d for %d seconds', async (delivery, seconds) => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(CHANGED);
    expect(await run(message('05', delivery))).toEqual(RETRY);
    expect(waits(world)).toEqual([seconds]);
    expect(auditEvents(world)).toEqual([]);
  });

  it('is dead-lettered at its last delivery', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(CHANGED);
    expect(await run(message('05', MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['source-changed']);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'EncryptionFailed', code: 'source-changed' })]);
  });

  it('is superseded, not failed, once the newer one is recorded', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(CHANGED);
    await run(message('05'));
    await world.remember([], [recordOf('06')]);
    expect(await run(message('05', MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect([auditEvents(world), deadLetters(world)]).toEqual([[], []]);
  });
});

describe('several events of one key in a batch', () => {
  const batch = (...sequencers: string[]) => queued(sequencers.map((sequencer) => notification({ sequencer, versionId: `v${sequencer}` })));

  it.each([
    ['in order', ['05', '06', '07']],
    ['out of order', ['07', '05', '06']],
  ])('that come %s: the newest is copied, the others are superseded without a copy', async (_order, sequencers) => {
    const { world, run } = encrypting();
    expect(await run(batch(...sequencers))).toEqual(NO_FAILURES);
    expect(copyInputs(world).map(({ CopySource }) => CopySource?.split('versionId=')[1])).toEqual(['v07']);
    expect(world.metrics.sum('EventsSkipped')).toBe(2);
    expect(claims(world).map(({ sequencer }) => sequencer)).toEqual(['07']);
  });

  it('whose newest fails for good: the next is copied', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).callsFake(async (input) => {
      if (input.CopySource.endsWith('v07')) throw s3Error('NoSuchVersion', 404);
      return honestCopy(input);
    });
    expect(await run(batch('05', '07'))).toEqual(NO_FAILURES);
    expect(objectRecords(world).map(({ source }) => source.sequencer)).toEqual(['05']);
    expect(deadLetters(world)).toHaveLength(1);
  });

  it('whose newest is retried: the others wait for it', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(s3Error('SlowDown', 503));
    const answer = await run(batch('05', '07'));
    expect(answer.batchItemFailures).toHaveLength(2);
    expect(copyInputs(world)).toHaveLength(1);
    expect(waits(world)).toContain(4);
    expect(world.log.entries.map(({ message: text, fields }) => [text, fields.code])).toEqual([
      ['waiting', 'newer-under-way'],
      ['not encrypted', 'throttled'],
    ]);
  });
});

describe('a message that comes again', () => {
  const head = { ContentLength: 12, ChecksumCRC64NVME: 'ODg4ODg4ODg=', ChecksumType: 'FULL_OBJECT', ServerSideEncryption: 'AES256' };

  it('records the copy that an attempt made and died after', async () => {
    const { world, run } = encrypting();
    await world.remember([], [recordOf('05')]);
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"unrecorded"' }] });
    world.s3.onAnyCommand({ IfMatch: 'unrecorded' }).resolves({ ...head, VersionId: 'v9' });
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toEqual([]);
    expect(objectRecords(world)).toEqual([
      { ...recordOf('05'), etag: 'unrecorded', versionId: 'v9', proof: 'checksum-compared', encryptedAt: expect.any(String) },
    ]);
  });

  it('looks at the target only then', async () => {
    const { world, run } = encrypting();
    await world.remember([], [recordOf('05')]);
    await run(message('05', 1));
    expect(world.s3.calls()).toHaveLength(0);
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"etag-of-05"' }] });
    world.s3.on(HeadObjectCommand).resolves({ ETag: '"etag-of-05"', VersionId: 'version-of-05' });
    await run(message('05', 2));
    expect(world.s3.commandCalls(ListObjectsV2Command)).not.toHaveLength(0);
    expect([copyInputs(world), objectRecords(world)]).toEqual([[], []]);
  });
});

describe('a key that EventBridge may have form-encoded', () => {
  it('is looked up, claimed and recorded as the key that it turns out to be', async () => {
    const { world, run } = encrypting();
    world.s3.onAnyCommand({ Key: 'cards%2F1' }).rejects(s3Error('NotFound', 404));
    expect(await run(queued([bridged({ key: 'cards%2F1' })]))).toEqual(NO_FAILURES);
    expect(claims(world)).toEqual([expect.objectContaining({ key: 'cards/1' })]);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ key: 'cards/1', outcome: 'success' })]);
    // It falls under the rule of that key.
    expect(objectRecords(world)).toEqual([
      expect.objectContaining({ key: 'cards/1', etag: ETAG, encryption: expect.objectContaining({ mode: 'sse-c' }) }),
    ]);
  });
});
