/** Copies that several runs make: time that ends, uploads that are found again, answers that got lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CopyJob, SavedUpload } from '../../src/copy/copy-job.ts';
import { abandonUpload, prepareCopy, targetEtag } from '../../src/copy/prepare-copy.ts';
import { describeEncryption, secretKey } from '../../src/encryption/index.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import { KEY_MATERIAL } from '../fixtures/objects.ts';
import { sample } from '../sandbox/s3/sandbox.ts';
import { type CopyWorld, copyWorld, PART_BYTES, TARGET_BUCKET } from './copy-world.ts';
import { BODY, copyOver, isThere, oneByOne, PARTS, putTarget, ready, stoppedAfter, watched } from './parts-world.ts';

let world: CopyWorld;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

describe('a copy whose time ends', () => {
  test.each([1, 3, PARTS - 1])('after %d parts is gone on with, without copying a part twice', async (parts) => {
    const ref = await world.drop(`stopped/${parts}`, BODY);
    const job = world.job(ref, 'sse-c');
    const saved = await stoppedAfter(world, parts, job);
    const { s3, calls, count } = watched(world);
    const copy = ready(await prepareCopy({ ...world.deps, s3 }, { ...job, saved }));
    expect(count('UploadPartCopy')).toBe(PARTS - parts);
    expect(calls).not.toContain('CreateMultipartUpload');
    expect(job.told).toHaveLength(1);
    await copy.commit('absent');
    const { bytes } = await world.read(TARGET_BUCKET, ref.key, 'sse-c');
    expect(bytes.equals(BODY)).toBe(true);
  });

  test('before its first new part fails as a time-out, and keeps what is there', async () => {
    const ref = await world.drop('no progress', BODY);
    const job = world.job(ref, 'sse-s3');
    const saved = await stoppedAfter(world, 2, job);
    const deps = { ...world.deps, stop: AbortSignal.abort() };
    await expect(prepareCopy(deps, { ...job, saved })).rejects.toMatchObject({ code: 'time-out', retryable: true });
    expect(await world.uploads(ref.key)).toEqual([saved.uploadId]);
    await isThere(world, ref, await world.copied({ ...job, saved }));
  });

  test('before it began begins nothing', async () => {
    const ref = await world.drop('not begun', BODY);
    const { s3, calls } = watched(world);
    const deps = { ...world.deps, s3, stop: AbortSignal.abort() };
    await expect(prepareCopy(deps, world.job(ref, 'sse-s3'))).rejects.toMatchObject({ code: 'time-out', retryable: true });
    expect(calls).not.toContain('CreateMultipartUpload');
  });

  test('gives up the parts under way, and keeps those that were copied', async () => {
    const ref = await world.drop('given up', BODY);
    const signal = new AbortController();
    const hangs = (name: string, count: number) => {
      if (name !== 'UploadPartCopy' || count !== 3) return;
      signal.abort();
      return Promise.reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    };
    const { s3 } = watched(world, { before: hangs });
    const job = world.job(ref, 'sse-s3');
    const preparation = await prepareCopy(oneByOne(world, { s3, signal: signal.signal }), job);
    expect(preparation).toMatchObject({ unfinished: { copiedParts: 2 } });
    await isThere(world, ref, await world.copied({ ...job, saved: job.told[0] ?? null }));
  });

  test('as soon as all parts are there is ready all the same', async () => {
    const ref = await world.drop('just in time', BODY);
    const stop = new AbortController();
    const { s3 } = watched(world, { before: (name, count) => void (name === 'UploadPartCopy' && count === PARTS && stop.abort()) });
    const copy = ready(await prepareCopy(oneByOne(world, { s3, stop: stop.signal }), world.job(ref, 'sse-s3')));
    await isThere(world, ref, await copy.commit('absent'));
  });
});

describe('a saved upload', () => {
  test.each<[string, Partial<SavedUpload>, Partial<CopyJob>]>([
    ['under another mode', {}, { encryption: { mode: 'dsse-kms', keyArn: '' } }],
    ['of another part size', { partBytes: 2 * PART_BYTES }, {}],
    ['of another storage class', {}, { storageClass: 'STANDARD_IA' }],
  ])('%s is aborted, and another begun', async (name, changed, asked) => {
    const ref = await world.drop(`unlike/${name}`, BODY);
    const job = world.job(ref, 'sse-s3');
    const saved = { ...(await stoppedAfter(world, 2, job)), ...changed };
    const encryption = asked.encryption === undefined ? job.encryption : world.encryptions['dsse-kms'];
    const again = { ...job, ...asked, encryption, saved };
    await isThere(world, ref, await world.copied(again));
    expect(job.told).toHaveLength(2);
    expect(job.told[1]).toMatchObject({ partBytes: PART_BYTES, encryption: describeEncryption(encryption) });
  });

  test('under a customer key of another version is aborted, and another begun', async () => {
    const ref = await world.drop('rotated', BODY);
    const job = world.job(ref, 'sse-c');
    const saved = await stoppedAfter(world, 2, job);
    const encryption = { mode: 'sse-c' as const, customerKey: secretKey('another-version', KEY_MATERIAL) };
    await world.copied({ ...job, encryption, saved });
    expect(job.told[1]?.encryption).toEqual({ mode: 'sse-c', customerKeyVersion: 'another-version' });
    expect(await world.uploads(ref.key)).toEqual([]);
  });

  test('that somebody aborted is begun anew', async () => {
    const ref = await world.drop('aborted meanwhile', BODY);
    const job = world.job(ref, 'sse-s3');
    const saved = await stoppedAfter(world, 2, job);
    await abandonUpload(world.deps, ref.key, saved.uploadId);
    await isThere(world, ref, await world.copied({ ...job, saved }));
    expect(job.told).toHaveLength(2);
  });

  test('of what is now one call is aborted', async () => {
    const ref = await world.drop('one call now', BODY);
    const job = world.job(ref, 'sse-s3');
    const saved = await stoppedAfter(world, 2, job);
    const deps = { ...world.deps, limits: { partsAboveBytes: BODY.length, partBytes: PART_BYTES } };
    const stored = await world.copied({ ...job, saved }, deps);
    expect(stored.proof).toBe('source-pinned');
    await isThere(world, ref, stored);
  });

  test.each(['sse-s3', 'sse-kms', 'sse-c'] as const)('that was completed under %s before anybody recorded it is the copy', async (mode) => {
    const ref = await world.drop(`completed/${mode}`, BODY, {
      ContentType: 'text/plain',
      Metadata: { owner: 'pat' },
      Tagging: 'class=internal',
    });
    const job = world.job(ref, mode);
    const first = await world.copied(job);
    const { s3, calls } = watched(world);
    const copy = ready(await prepareCopy({ ...world.deps, s3 }, { ...job, saved: job.told[0] ?? null }));
    // Dated by when its upload began: whatever takes its place by now is younger.
    expect(await copy.commit('absent')).toEqual({ ...first, foundSince: expect.stringMatching(/^\d{4}-.*Z$/) });
    await copy.abandon();
    expect(calls.filter((name) => !/^(Get|Head|List)/.test(name))).toEqual([]);
    expect(job.told).toHaveLength(1);
  });

  test.each<[string, (ref: ObjectRef) => Promise<unknown>]>([
    ['by other bytes', (ref) => putTarget(world, ref, { Body: sample(BODY.length, 7) })],
    ['by the same in one call', (ref) => copyOver(world, ref, {})],
    ['under another encryption', (ref) => copyOver(world, ref, { ServerSideEncryption: 'aws:kms' })],
    ['by nothing', (ref) => putTarget(world, ref, { Body: Buffer.alloc(0) })],
  ])('that was completed and overwritten since %s is copied anew', async (name, overwrite) => {
    const ref = await world.drop(`overwritten/${name}`, BODY, { Metadata: { owner: 'pat' } });
    const job = world.job(ref, 'sse-s3');
    await world.copied(job);
    await overwrite(ref);
    const copy = ready(await prepareCopy(world.deps, { ...job, saved: job.told[0] ?? null }));
    expect(job.told).toHaveLength(2);
    await isThere(world, ref, await copy.commit({ etag: (await targetEtag(world.deps, ref.key)) ?? '' }));
  });

  test('that was completed and then overwritten before its commit is a conflict', async () => {
    const ref = await world.drop('overwritten late', BODY);
    const job = world.job(ref, 'sse-s3');
    await world.copied(job);
    const copy = ready(await prepareCopy(world.deps, { ...job, saved: job.told[0] ?? null }));
    await putTarget(world, ref, { Body: 'newer' });
    await expect(copy.commit('absent')).rejects.toMatchObject({ code: 'conflict', retryable: true });
  });
});

describe('an answer that gets lost', () => {
  const lost = () => Promise.reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));

  test('of CompleteMultipartUpload is found again by the next commit', async () => {
    const ref = await world.drop('lost/complete', BODY);
    const { s3 } = watched(world, { after: (name, number) => (name === 'CompleteMultipartUpload' && number === 1 ? lost() : undefined) });
    const copy = ready(await prepareCopy({ ...world.deps, s3 }, world.job(ref, 'sse-kms')));
    await expect(copy.commit('absent')).rejects.toMatchObject({ code: 'service-unavailable' });
    const etag = (await targetEtag(world.deps, ref.key)) ?? '';
    expect(await copy.commit({ etag })).toMatchObject({ etag, proof: 'checksum-compared' });
  });

  test('of the first UploadPartCopy fails by name: nothing was copied that a delivery could be spared for', async () => {
    const ref = await world.drop('lost/first-part', BODY);
    const { s3 } = watched(world, { after: (name, number) => (name === 'UploadPartCopy' && number === 1 ? lost() : undefined) });
    await expect(prepareCopy(oneByOne(world, { s3 }), world.job(ref, 'sse-s3'))).rejects.toMatchObject({ code: 'service-unavailable' });
  });

  test('of a later UploadPartCopy leaves the copy unfinished, and costs that part once more', async () => {
    const ref = await world.drop('lost/part', BODY);
    const { s3 } = watched(world, { after: (name, number) => (name === 'UploadPartCopy' && number === 2 ? lost() : undefined) });
    const job = world.job(ref, 'sse-s3');
    expect(await prepareCopy(oneByOne(world, { s3 }), job)).toMatchObject({ unfinished: { copiedParts: 1 } });
    await isThere(world, ref, await world.copied({ ...job, saved: job.told[0] ?? null }));
  });

  test('of CreateMultipartUpload leaves an upload that the next run aborts', async () => {
    const ref = await world.drop('lost/create', BODY);
    const { s3 } = watched(world, { after: (name) => (name === 'CreateMultipartUpload' ? lost() : undefined) });
    await expect(prepareCopy({ ...world.deps, s3 }, world.job(ref, 'sse-s3'))).rejects.toMatchObject({ code: 'service-unavailable' });
    expect(await world.uploads(ref.key)).toHaveLength(1);
    await isThere(world, ref, await world.copied(world.job(ref, 'sse-s3')));
  });

  test('of CopyObject, which the SDK sends again, shows the target changed, by the copy itself', async () => {
    const ref = await world.drop('lost/copy', 'small');
    const { s3 } = watched(world, { after: (name) => (name === 'CopyObject' ? lost() : undefined) });
    const copy = ready(await prepareCopy({ ...world.deps, s3 }, world.job(ref, 'sse-s3')));
    await expect(copy.commit('absent')).rejects.toMatchObject({ code: 'service-unavailable' });
    const again = watched(world);
    const honest = ready(await prepareCopy({ ...world.deps, s3: again.s3 }, world.job(ref, 'sse-s3')));
    await expect(honest.commit('absent')).rejects.toMatchObject({ code: 'target-changed' });
    // The answer names the condition: the source is not asked.
    expect(again.calls).toEqual(['CopyObject']);
    const etag = (await targetEtag(world.deps, ref.key)) ?? '';
    expect(await honest.commit({ etag })).toMatchObject({ proof: 'source-pinned' });
  });
});
