/** What is asked of the target, against the sandbox. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { abandonUpload, prepareCopy, targetEtag } from '../../src/copy/prepare-copy.ts';
import { type CopyWorld, copyWorld } from './copy-world.ts';
import { BODY, putTarget, ready } from './parts-world.ts';

let world: CopyWorld;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(async () => {
  expect(world.sandbox.defects).toEqual([]);
  await world.stop();
});

describe('targetEtag', () => {
  test.each(['plain', 'a+b c%20&é', 'line\nbreak', 'control\u0001', 'a//b', 'dir/', '日本/🎉', 'quote\'"<>'])('finds %j', async (key) => {
    expect(await targetEtag(world.deps, key)).toBeNull();
    // Sorts behind it, and must not be taken for it.
    await putTarget(world, { key: `${key}0` }, { Body: 'other' });
    expect(await targetEtag(world.deps, key)).toBeNull();
    const { ETag } = await putTarget(world, { key }, { Body: 'body' });
    expect(await targetEtag(world.deps, key)).toBe(ETag?.replaceAll('"', ''));
  });

  test('needs no customer key', async () => {
    const stored = await world.copied(world.job(await world.drop('listed', 'x'), 'sse-c'));
    expect(await targetEtag(world.deps, 'listed')).toBe(stored.etag);
  });

  test('says when there is no bucket', async () => {
    await expect(targetEtag({ ...world.deps, targetBucket: 'no-such-bucket' }, 'x')).rejects.toMatchObject({ code: 'target-missing' });
  });
});

describe('abandonUpload', () => {
  test('does not mind an upload that is not there, nor a server that is not', async () => {
    await abandonUpload(world.deps, 'nothing', 'nothing');
    const s3 = world.sandbox.connect({ endpoint: 'http://127.0.0.1:1' });
    await abandonUpload({ ...world.deps, s3 }, 'nothing', 'nothing');
  });

  test('works after the time of copies has ended', async () => {
    const ref = await world.drop('late', BODY);
    const copy = ready(await prepareCopy(world.deps, world.job(ref, 'sse-s3')));
    expect(await world.uploads(ref.key)).toHaveLength(1);
    await abandonUpload({ ...world.deps, signal: AbortSignal.abort() }, ref.key, (await world.uploads(ref.key))[0] ?? '');
    expect(await world.uploads(ref.key)).toEqual([]);
    await expect(copy.commit('absent')).rejects.toMatchObject({ code: 'conflict' });
  });
});
