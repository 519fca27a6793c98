import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { ObjectRecord } from '../src/audit/object-record.ts';
import { displaced } from '../src/displaced.ts';
import { headError, s3Error } from './fixtures/aws.ts';
import { encryptWorld, recordOf } from './fixtures/encrypt-world.ts';
import { KEY_VERSION, STACK_KEY, TARGET_BUCKET, TARGET_OWNER } from './fixtures/objects.ts';

/** @param etag of the target's current object; `null`: there is none */
function asking(etag: string | null, head: Partial<HeadObjectCommandOutput> | Error = {}, record = recordOf('05')) {
  const world = encryptWorld();
  world.s3.on(ListObjectsV2Command).resolves({ Contents: etag === null ? [] : [{ Key: record.key, ETag: `"${etag}"` }] });
  if (head instanceof Error) world.s3.on(HeadObjectCommand).rejects(head);
  else world.s3.on(HeadObjectCommand).resolves(head);
  return { ask: () => displaced(record, world.deps), world };
}

describe('a recorded copy under SSE-S3', () => {
  it('is displaced by whatever has another ETag, and no more is asked', async () => {
    const { ask, world } = asking('other');
    expect(await ask()).toEqual({ etag: 'other' });
    expect(world.s3.commandCalls(HeadObjectCommand)).toEqual([]);
  });

  it('is told by its version from one with the same bytes', async () => {
    const { ask, world } = asking('etag-of-05', { VersionId: 'version-of-04' });
    expect(await ask()).toEqual({ etag: 'etag-of-05' });
    expect(world.s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input)).toEqual([
      { Bucket: TARGET_BUCKET, ExpectedBucketOwner: TARGET_OWNER, Key: 'reports/summary.txt' },
    ]);
  });

  it('is in its place under its own ETag and version', async () => {
    expect(await asking('etag-of-05', { VersionId: 'version-of-05' }).ask()).toBeNull();
  });

  it('without a version is in its place under its ETag: nothing could tell it from an equal one', async () => {
    const { versionId: _, ...record } = recordOf('05');
    const { ask, world } = asking('etag-of-05', {}, record);
    expect(await ask()).toBeNull();
    expect(world.s3.commandCalls(HeadObjectCommand)).toEqual([]);
  });

  it('that was deleted is not brought back', async () => {
    expect(await asking(null).ask()).toBeNull();
  });

  it.each([
    [404, 'it was deleted'],
    [400, 'an object under a customer key took its place'],
  ])('is not displaced where the target answers %d: %s', async (status) => {
    expect(await asking('etag-of-05', headError(status)).ask()).toBeNull();
  });

  it.each([
    [403, 'unknown'],
    [503, 'service-unavailable'],
  ])('is not taken for anything where the target answers %d', async (status, code) => {
    await expect(asking('etag-of-05', headError(status)).ask()).rejects.toMatchObject({ code });
  });

  it('is not taken for anything where the target cannot be listed', async () => {
    const { ask, world } = asking('other');
    world.s3.on(ListObjectsV2Command).rejects(s3Error('SlowDown', 503));
    await expect(ask()).rejects.toMatchObject({ code: 'throttled', retryable: true });
  });
});

describe('a recorded copy under another mode', () => {
  it.each<[ObjectRecord['encryption']]>([
    [{ mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true }],
    [{ mode: 'dsse-kms', keyArn: STACK_KEY }],
    [{ mode: 'sse-c', customerKeyVersion: KEY_VERSION }],
  ])('has an ETag that comes once: under %j nothing is asked', async (encryption) => {
    const { ask, world } = asking('other', { VersionId: 'other' }, recordOf('05', { encryption }));
    expect(await ask()).toBeNull();
    expect(world.s3.calls()).toEqual([]);
  });
});
