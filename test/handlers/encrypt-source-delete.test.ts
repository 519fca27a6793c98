/** `source: delete`: what is encrypted and recorded leaves the ingest bucket, the very version and nothing else. */
import { PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  type DeleteObjectCommandInput,
  GetBucketVersioningCommand,
  HeadObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { SealdropError } from '../../src/errors.ts';
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
import { INGEST_BUCKET, INGEST_OWNER, VERSION_ID } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const RETRY = { batchItemFailures: [{ itemIdentifier: 'message-0' }] };

function deleting(source: 'keep' | 'delete' = 'delete') {
  const world = encryptWorld(`${POLICY}\nsource: ${source}\n`);
  world.s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
  world.s3.on(DeleteObjectCommand).resolves({});
  // As in a bucket whose current version is another one by now.
  world.s3.on(HeadObjectCommand).resolves({ VersionId: 'current', ETag: '"current"' });
  return { world, run: createHandler(() => world.deps) };
}

type World = ReturnType<typeof deleting>['world'];

const deleted = ({ s3 }: World): DeleteObjectCommandInput[] => s3.commandCalls(DeleteObjectCommand).map((call) => call.args[0].input);
const actions = (world: World) => auditEvents(world).map(({ action }) => action);
const message = (sequencer = '05', delivery = 1) => queued([notification({ sequencer })], delivery);

describe('a source that is encrypted', () => {
  it('is deleted by its version id, in a bucket of the expected account', async () => {
    const { world, run } = deleting();
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(deleted(world)).toEqual([
      { Bucket: INGEST_BUCKET, ExpectedBucketOwner: INGEST_OWNER, Key: 'reports/summary.txt', VersionId: VERSION_ID },
    ]);
    expect(actions(world)).toEqual(['ObjectEncrypted', 'SourceDeleted']);
    expect(auditEvents(world)[1]).toMatchObject({ outcome: 'success', sourceVersionId: VERSION_ID, uniqueId: '05' });
  });

  it('is kept where it says how another source is encrypted, which may still come', async () => {
    const decrypting = `${POLICY.replace('{ prefix: plain/ }', '{ prefix: plain/ }, decrypt: s3-encryption-client')}s3EncryptionClient: { keys: ['arn:aws:kms:us-east-1:000000000000:key/77777777-2222-3333-4444-555555555555'] }\nsource: delete\n`;
    for (const [policy, count] of [
      [decrypting, 0],
      [`${POLICY}\nsource: delete\n`, 1],
    ] as const) {
      const world = encryptWorld(policy);
      world.s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
      world.s3.on(DeleteObjectCommand).resolves({});
      expect(
        await createHandler(() => world.deps)(queued([notification({ key: 'reports/a.pdf.instruction', sequencer: '05' })], 1)),
      ).toEqual(NO_FAILURES);
      expect(objectRecords(world)).toHaveLength(1);
      expect(deleted(world)).toHaveLength(count);
    }
  });

  it('is deleted after its record, and that is recorded after it', async () => {
    const { world, run } = deleting();
    const order: string[] = [];
    world.dynamodb.on(PutItemCommand).callsFake(async ({ Item = {} }: PutItemCommandInput) => {
      order.push(Item.event?.M?.action?.S ?? ('record' in Item ? 'record' : 'claim'));
      return {};
    });
    world.s3.on(DeleteObjectCommand).callsFake(async () => {
      order.push('delete');
      return {};
    });
    await run(message());
    expect(order).toEqual(['claim', 'ObjectEncrypted', 'record', 'delete', 'SourceDeleted']);
  });

  it('is kept where policy.yml does not say to delete it', async () => {
    const { world, run } = deleting('keep');
    await run(message());
    expect(world.s3.calls()).toHaveLength(1);
    expect(actions(world)).toEqual(['ObjectEncrypted']);
  });

  it('is kept while its record is not written', async () => {
    const { world, run } = deleting();
    world.dynamodb.on(PutItemCommand).resolvesOnce({}).resolvesOnce({}).rejects(tableError('InternalServerError'));
    expect(await run(message())).toEqual(RETRY);
    expect(deleted(world)).toEqual([]);
  });

  it('is kept where its copy failed', async () => {
    const { world, run } = deleting();
    world.s3.on(CopyObjectCommand).rejects(s3Error('SlowDown', 503));
    await run(message());
    await run(message('06', MAX_RECEIVE_COUNT));
    expect(deleted(world)).toEqual([]);
  });

  it('is kept while it waits for a newer one', async () => {
    const { world, run } = deleting();
    await world.remember([claimOf('06')]);
    expect(await run(message())).toEqual(RETRY);
    expect(deleted(world)).toEqual([]);
  });

  it('and superseded is deleted as well', async () => {
    const { world, run } = deleting();
    await world.remember([], [recordOf('06')]);
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toEqual([]);
    expect(deleted(world).map(({ VersionId }) => VersionId)).toEqual([VERSION_ID]);
    expect(actions(world)).toEqual(['SourceDeleted']);
  });

  it('and recorded is deleted again when its message comes again: whoever recorded it may have died before', async () => {
    const { world, run } = deleting();
    await world.remember([], [recordOf('05')]);
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toEqual([]);
    expect(deleted(world)).toHaveLength(1);
    expect(actions(world)).toEqual(['SourceDeleted']);
  });
});

describe('a deletion that the table does not record', () => {
  it.each([
    ['encrypted', []],
    ['encrypted already', [recordOf('05')]],
    ['superseded', [recordOf('06')]],
  ])('of a source that is %s brings the message back until it does', async (_what, records) => {
    const { world, run } = deleting();
    await world.remember([], records);
    let refused = 0;
    const { append } = world.deps.trail;
    world.deps.trail.append = async (events) => {
      refused += events.some(({ action }) => action === 'SourceDeleted') ? 1 : 0;
      if (refused === 1) throw new SealdropError('audit-unavailable', 'x');
      await append(events);
    };
    expect(await run(message())).toEqual(RETRY);
    expect(deleted(world)).toHaveLength(1);
    world.dynamodb.resetHistory();
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(actions(world)).toEqual(['SourceDeleted']);
  });

  it('up to its last delivery is a dead letter by that cause', async () => {
    const { world, run } = deleting();
    await world.remember([], [recordOf('06')]);
    world.dynamodb.on(PutItemCommand).rejects(tableError('ProvisionedThroughputExceededException'));
    expect(await run(message('05', MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['audit-unavailable']);
  });
});

describe('a source that cannot be deleted', () => {
  it.each([
    [1, s3Error('SlowDown', 503), 'throttled'],
    [MAX_RECEIVE_COUNT, s3Error('SlowDown', 503), 'throttled'],
    [1, s3Error('AccessDenied', 403), 'source-kept'],
  ])('is logged and counted as encrypted, and as a failure beside: delivery %d, %s', async (delivery, error, code) => {
    const { world, run } = deleting();
    world.s3.on(DeleteObjectCommand).rejects(error);
    await run(message('05', delivery));
    const { sum, figures } = world.metrics;
    expect([sum('ObjectsEncrypted'), sum('BytesEncrypted')]).toEqual([1, 12]);
    expect(figures.filter(({ name }) => name === 'Failures')).toMatchObject([{ value: 1, by: { code, mode: 'sse-kms' } }]);
    const lines = world.log.entries.map(({ message: text, fields }) => [text, fields.code]);
    expect(lines.slice(0, 2)).toEqual([
      ['encrypted', undefined],
      ['source not deleted', code],
    ]);
  });

  it('and was encrypted before is not counted again', async () => {
    const { world, run } = deleting();
    await world.remember([], [recordOf('05')]);
    world.s3.on(DeleteObjectCommand).rejects(s3Error('SlowDown', 503));
    await run(message('05', 2));
    expect(world.metrics.sum('ObjectsEncrypted')).toBe(0);
  });

  it('is kept and told of, and its copy counts', async () => {
    const { world, run } = deleting();
    world.s3.on(DeleteObjectCommand).rejects(s3Error('AccessDenied', 403));
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toHaveLength(1);
    expect(actions(world)).toEqual(['ObjectEncrypted', 'SourceDeletionFailed']);
    expect(auditEvents(world)[1]).toMatchObject({ outcome: 'failure', code: 'source-kept' });
    expect(deadCodes(world)).toEqual(['source-kept']);
  });

  it('for a moment is deleted by the next delivery, and told of only once', async () => {
    const { world, run } = deleting();
    world.s3.on(DeleteObjectCommand).rejectsOnce(s3Error('SlowDown', 503)).resolves({});
    expect(await run(message())).toEqual(RETRY);
    expect(actions(world)).toEqual(['ObjectEncrypted']);
    expect(await run(message('05', 2))).toEqual(NO_FAILURES);
    expect(copyInputs(world)).toHaveLength(1);
    expect(actions(world)).toEqual(['ObjectEncrypted', 'SourceDeleted']);
  });

  it('up to its last delivery is a dead letter by the cause', async () => {
    const { world, run } = deleting();
    world.s3.on(DeleteObjectCommand).rejects(s3Error('SlowDown', 503));
    expect(await run(message('05', MAX_RECEIVE_COUNT))).toEqual(NO_FAILURES);
    expect(actions(world)).toEqual(['ObjectEncrypted', 'SourceDeletionFailed']);
    expect(deadCodes(world)).toEqual(['throttled']);
  });

  it.each(['null', ''])('since its version id is "%s" is kept: a newer object may have the same name', async (versionId) => {
    const { world, run } = deleting();
    expect(await run(queued([notification({ versionId })]))).toEqual(NO_FAILURES);
    expect(deleted(world)).toEqual([]);
    expect(objectRecords(world)).toHaveLength(1);
    expect(deadCodes(world)).toEqual(['source-kept']);
  });

  it('of a batch does not keep the others', async () => {
    const { world, run } = deleting();
    world.s3.on(DeleteObjectCommand, { Key: 'kept' }).rejects(s3Error('AccessDenied', 403));
    expect(await run(queued(['a', 'kept', 'b'].map((key) => notification({ key }))))).toEqual(NO_FAILURES);
    expect(deadCodes(world)).toEqual(['source-kept']);
    expect(actions(world).filter((action) => action === 'SourceDeleted')).toHaveLength(2);
    expect(objectRecords(world)).toHaveLength(3);
  });
});

describe('a bucket that is not versioned', () => {
  it('has nothing copied or deleted: `source: delete` is refused by name', async () => {
    const { world, run } = deleting();
    world.s3.on(GetBucketVersioningCommand).resolves({});
    expect(await run(message())).toEqual(NO_FAILURES);
    expect(world.s3.calls()).toHaveLength(1);
    expect(deadCodes(world)).toEqual(['config-invalid']);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'EncryptionFailed', code: 'config-invalid' })]);
  });

  it('is asked about once, whatever comes of it', async () => {
    const { world, run } = deleting();
    for (const sequencer of ['01', '02', '03']) await run(queued(['a', 'b'].map((key) => notification({ key, sequencer }))));
    expect(world.s3.commandCalls(GetBucketVersioningCommand)).toHaveLength(1);
    expect(deleted(world)).toHaveLength(6);
  });
});
