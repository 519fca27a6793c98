/** Copies in parts against the sandbox: what is done once, and what a failing part does. */
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { abandonUpload, prepareCopy, targetEtag } from '../../src/copy/prepare-copy.ts';
import { sample } from '../sandbox/s3/sandbox.ts';
import { type CopyWorld, copyWorld, ONE_CALL_BYTES, PART_BYTES, TARGET_BUCKET } from './copy-world.ts';
import { BODY, isThere, oneByOne, PARTS, ready, watched } from './parts-world.ts';

let world: CopyWorld;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

describe('a copy in parts', () => {
  test('looks at source and left uploads once, begins, copies each part once, and completes', async () => {
    const ref = await world.drop('calls', BODY);
    const { s3, calls } = watched(world);
    const job = world.job(ref, 'sse-s3');
    const copy = ready(await prepareCopy({ ...world.deps, s3 }, job));
    expect(await targetEtag(world.deps, ref.key)).toBeNull();
    await isThere(world, ref, await copy.commit('absent'));
    expect(calls.sort()).toEqual(
      [
        'HeadObject',
        'GetObjectTagging',
        'ListMultipartUploads',
        'CreateMultipartUpload',
        ...Array.from({ length: PARTS }, () => 'UploadPartCopy'),
        'CompleteMultipartUpload',
      ].sort(),
    );
    expect(job.told).toEqual([{ uploadId: expect.any(String), partBytes: PART_BYTES, encryption: { mode: 'sse-s3' } }]);
  });

  test('has no more parts under way at once than it may', async () => {
    const ref = await world.drop('parallel', sample(40 * PART_BYTES));
    let under = 0;
    let most = 0;
    const { s3 } = watched(world, {
      before(name) {
        if (name !== 'UploadPartCopy') return;
        under += 1;
        most = Math.max(most, under);
      },
      after: (name) => void (name === 'UploadPartCopy' && under--),
    });
    for (const [limits, expected] of [
      [world.deps.limits, 16],
      [{ ...world.deps.limits, parallelParts: 3 }, 3],
    ] as const) {
      most = 0;
      const copy = ready(await prepareCopy({ ...world.deps, s3, limits }, world.job(ref, 'sse-s3')));
      expect(most).toBe(expected);
      await copy.abandon();
    }
    expect(await world.uploads(ref.key)).toEqual([]);
  });

  test('leaves nothing behind when it is abandoned', async () => {
    const ref = await world.drop('abandoned', BODY);
    const copy = ready(await prepareCopy(world.deps, world.job(ref, 'sse-kms')));
    expect(await world.uploads(ref.key)).toHaveLength(1);
    await copy.abandon();
    expect(await world.uploads(ref.key)).toEqual([]);
    await copy.abandon();
  });

  test('replaces only the target that was looked at, and may be committed again', async () => {
    const ref = await world.drop('conditions', BODY);
    const first = await world.copied(world.job(ref, 'sse-c'));
    const copy = ready(await prepareCopy(world.deps, world.job(ref, 'sse-s3')));
    await expect(copy.commit('absent')).rejects.toMatchObject({ code: 'target-changed', retryable: true });
    await expect(copy.commit({ etag: '0123456789abcdef0123456789abcdef' })).rejects.toMatchObject({ code: 'target-changed' });
    expect(await targetEtag(world.deps, ref.key)).toBe(first.etag);
    await isThere(world, ref, await copy.commit({ etag: first.etag }));
  });

  test('finds the target changed when it is asked to replace one that is not there', async () => {
    const copy = ready(await prepareCopy(world.deps, world.job(await world.drop('no target', BODY), 'sse-s3')));
    await expect(copy.commit({ etag: '0123456789abcdef0123456789abcdef' })).rejects.toMatchObject({ code: 'target-changed' });
    await copy.abandon();
  });

  test('ends at the first part whose source was replaced in a bucket without versions', async () => {
    const ref = await world.drop('replaced', BODY);
    const other = await world.drop('replaced', sample(BODY.length, 2));
    const { versionId: _, ...unversioned } = { ...ref };
    await expect(prepareCopy(world.deps, world.job(unversioned, 'sse-s3'))).rejects.toMatchObject({ code: 'source-changed' });
    const { s3, count } = watched(world, {
      before: async (name, number) => {
        if (name === 'UploadPartCopy' && number === 3) await world.drop('replaced', sample(BODY.length, 3));
      },
    });
    const { versionId: __, ...current } = other;
    const job = world.job(current, 'sse-s3');
    await expect(prepareCopy(oneByOne(world, { s3 }), job)).rejects.toMatchObject({ code: 'source-changed' });
    expect(count('UploadPartCopy')).toBe(3);
    await abandonUpload(world.deps, ref.key, job.told[0]?.uploadId ?? '');
    expect(await world.uploads(ref.key)).toEqual([]);
  });

  test('of a source that is gone says so', async () => {
    const ref = await world.drop('gone', BODY);
    await expect(prepareCopy(world.deps, world.job({ ...ref, versionId: '0'.repeat(32) }, 'sse-s3'))).rejects.toMatchObject({
      code: 'source-gone',
    });
  });

  test.each(['source', 'target'])('under a key of the %s that is disabled names it', async (side) => {
    const { keyArn, disable } = await world.newKey();
    const more = side === 'source' ? ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn } as const) : {};
    const ref = await world.drop(`disabled/${side}`, BODY, more);
    const job = world.job(ref, 'sse-s3', side === 'target' ? { encryption: { mode: 'dsse-kms', keyArn: keyArn } } : {});
    await disable();
    await expect(world.copied(job)).rejects.toMatchObject({ code: 'kms-key-disabled', retryable: false });
    for (const uploadId of await world.uploads(ref.key)) await abandonUpload(world.deps, ref.key, uploadId);
  });

  test('goes by the size that the source has, not by that of its event', async () => {
    const small = await world.drop('small after all', sample(10));
    const stored = await world.copied(world.job({ ...small, size: 10_000 }, 'sse-s3'));
    expect(stored.proof).toBe('source-pinned');
    const large = await world.drop('larger than told', BODY);
    const parts = await world.copied(world.job({ ...large, size: ONE_CALL_BYTES + 1 }, 'sse-s3'));
    await isThere(world, large, parts);
  });

  test('does not begin when nobody can be told of its upload', async () => {
    const ref = await world.drop('not told', BODY);
    const { s3, count } = watched(world);
    const began = () => Promise.reject(new Error('the table is away'));
    await expect(prepareCopy({ ...world.deps, s3 }, world.job(ref, 'sse-s3', { began }))).rejects.toThrow('the table is away');
    expect(count('UploadPartCopy')).toBe(0);
    expect(await world.uploads(ref.key)).toEqual([]);
  });

  test('aborts what others left of the same key, and nothing else', async () => {
    const ref = await world.drop('left/é &\u0001', BODY);
    const begin = async (Key: string) =>
      (await world.client.send(new CreateMultipartUploadCommand({ Bucket: TARGET_BUCKET, Key }))).UploadId ?? '';
    await begin(ref.key);
    await begin(ref.key);
    const others = [await begin(`${ref.key}2`), await begin('left/')];
    await world.copied(world.job(ref, 'sse-s3'));
    expect((await world.uploads('left/')).sort()).toEqual(others.sort());
    await abandonUpload(world.deps, `${ref.key}2`, others[0] ?? '');
    await abandonUpload(world.deps, 'left/', others[1] ?? '');
  });
});

describe('a part that fails', () => {
  test('ends the run with its cause, and no call is under way afterwards', async () => {
    const ref = await world.drop('fails', sample(40 * PART_BYTES));
    let under = 0;
    const { s3, count } = watched(world, {
      before: (name, number) => {
        if (name !== 'UploadPartCopy') return;
        if (number === 5) throw Object.assign(new Error('Please reduce your request rate.'), { name: 'SlowDown' });
        under += 1;
      },
      after: (name) => void (name === 'UploadPartCopy' && under--),
    });
    const job = world.job(ref, 'sse-s3');
    await expect(prepareCopy({ ...world.deps, s3 }, job)).rejects.toMatchObject({ code: 'throttled', retryable: true });
    expect(count('UploadPartCopy')).toBeLessThanOrEqual(16);
    expect(under).toBeLessThanOrEqual(16);
    await isThere(world, ref, await world.copied({ ...job, saved: job.told[0] ?? null }), sample(40 * PART_BYTES));
  });

  test('because somebody aborted the upload is a conflict', async () => {
    const ref = await world.drop('aborted', BODY);
    const job = world.job(ref, 'sse-s3');
    const { s3 } = watched(world, {
      before: async (name, number) => {
        if (name === 'UploadPartCopy' && number === 2) await abandonUpload(world.deps, ref.key, job.told[0]?.uploadId ?? '');
      },
    });
    await expect(prepareCopy(oneByOne(world, { s3 }), job)).rejects.toMatchObject({ code: 'conflict', retryable: true });
  });
});
