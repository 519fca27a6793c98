/** Sources that must not be taken for older or newer ones: of another bucket, or with a sequencer that two states share. */
import { CopyObjectCommand, DeleteObjectCommand, GetBucketVersioningCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { s3Error } from '../fixtures/aws.ts';
import { claimOf, copyInputs, encryptWorld, objectRecords, POLICY, recordOf } from '../fixtures/encrypt-world.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { INGEST_BUCKET, VERSION_ID } from '../fixtures/objects.ts';

const NO_FAILURES = { batchItemFailures: [] };
const ANOTHER = 'the-ingest-bucket-before';

const of = (sequencer: string, source: Partial<ReturnType<typeof recordOf>['source']>) =>
  recordOf(sequencer, { source: { ...recordOf(sequencer).source, ...source } });

function encrypting() {
  const world = encryptWorld(`${POLICY}\nsource: delete\n`);
  world.s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
  world.s3.on(DeleteObjectCommand).resolves({});
  const run = createHandler(() => world.deps);
  const calls = () => world.s3.calls().map(({ args: [command] }) => command.constructor.name);
  return { world, calls, run: () => run(queued([notification({ sequencer: '05' })])) };
}

const conditions = (world: ReturnType<typeof encryptWorld>) => copyInputs(world).map(({ IfMatch, IfNoneMatch }) => IfMatch ?? IfNoneMatch);

describe('a record of another source bucket', () => {
  it.each(['04', '05', '06'])('with sequencer %s says nothing of this one: it is copied before it is deleted', async (sequencer) => {
    const { world, run, calls } = encrypting();
    await world.remember([], [of(sequencer, { bucket: ANOTHER })]);
    world.s3.on(CopyObjectCommand, { IfNoneMatch: '*' }).rejects(s3Error('PreconditionFailed', 412));
    world.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'reports/summary.txt', ETag: '"of-the-other"' }] });
    expect(await run()).toEqual(NO_FAILURES);
    expect(conditions(world)).toEqual(['*', 'of-the-other']);
    expect(objectRecords(world).map(({ source }) => source.bucket)).toEqual([INGEST_BUCKET]);
    expect(calls().slice(-2)).toEqual(['CopyObjectCommand', 'DeleteObjectCommand']);
  });

  it('hides none of its own bucket that lies below', async () => {
    const { world, run } = encrypting();
    await world.remember([], [of('07', { bucket: ANOTHER }), recordOf('04')]);
    expect(await run()).toEqual(NO_FAILURES);
    expect(conditions(world)).toEqual(['etag-of-04']);
  });
});

describe('a claim of another source bucket', () => {
  it('with a newer sequencer is not waited for', async () => {
    const { world, run } = encrypting();
    await world.remember([claimOf('06', { sourceBucket: ANOTHER })]);
    expect(await run()).toEqual(NO_FAILURES);
    expect(objectRecords(world)).toHaveLength(1);
  });
});

describe('a record of the same sequencer', () => {
  const { versionId: _, ...unversioned } = recordOf('05').source;

  it.each([
    ['another ETag', { ...unversioned, etag: 'other', versionId: VERSION_ID }],
    ['another version', { ...unversioned, versionId: 'other-version' }],
    ['no version', unversioned],
  ])('and %s is of another state: this one is copied in its place before it is deleted', async (_what, source) => {
    const { world, run, calls } = encrypting();
    await world.remember([], [recordOf('05', { source })]);
    expect(await run()).toEqual(NO_FAILURES);
    expect(conditions(world)).toEqual(['etag-of-05']);
    expect(objectRecords(world).map((record) => record.source)).toEqual([recordOf('05').source]);
    expect(calls().slice(-2)).toEqual(['CopyObjectCommand', 'DeleteObjectCommand']);
  });
});
