/** Copies of sources that a customer key opens, under another name than theirs. */
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CopyJob } from '../../src/copy/copy-job.ts';
import { keyParameters, secretKey } from '../../src/encryption/index.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import { sample } from '../sandbox/s3/sandbox.ts';
import { type CopyWorld, copyWorld, ONE_CALL_BYTES, PART_BYTES, TARGET_BUCKET } from './copy-world.ts';
import { oneByOne } from './parts-world.ts';

const KEY = secretKey('of-the-source', Buffer.alloc(32, 5));
const OTHER = secretKey('another', Buffer.alloc(32, 6));
const SIZES = [0, ONE_CALL_BYTES, ONE_CALL_BYTES + 1, 7 * PART_BYTES + 1];

let world: CopyWorld;
let ref: ObjectRef;
beforeAll(async () => {
  world = await copyWorld();
});
afterAll(() => world.stop());

const job = (changes: Partial<CopyJob>) => world.job(ref, 'sse-kms', { targetKey: `copies/${ref.key}`, ...changes });

describe.each(SIZES)('a source of %d bytes under SSE-C', (size) => {
  const body = sample(size);
  beforeAll(async () => {
    ref = await world.drop(`closed-${size}`, body, {
      ContentType: 'video/mp4',
      ...keyParameters({ mode: 'sse-c', customerKey: KEY }),
    });
  });

  it('is copied with its key to what needs none, as it was', async () => {
    const stored = await world.copied(job({ sourceKey: KEY }));
    const { bytes, head } = await world.read(TARGET_BUCKET, `copies/${ref.key}`);
    expect(bytes.equals(body)).toBe(true);
    expect(head).toMatchObject({ ContentType: 'video/mp4', ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true });
    expect(head.ETag).toBe(`"${stored.etag}"`);
    await expect(world.client.send(new HeadObjectCommand({ Bucket: TARGET_BUCKET, Key: ref.key }))).rejects.toThrow();
    expect(await world.uploads('')).toEqual([]);
  });

  it.each([
    ['without its key', null],
    ['with another key', OTHER],
  ])('is not copied %s, and nothing is left', async (_how, sourceKey) => {
    await expect(world.copied(job({ sourceKey, targetKey: `refused/${ref.key}` }))).rejects.toMatchObject({ retryable: false });
    expect(await world.uploads('')).toEqual([]);
  });
});

it('tells since when an upload of the same name is under way before it ends any', async () => {
  const large = sample(5 * PART_BYTES);
  ref = await world.drop('twice', large);
  const stopped = new AbortController();
  const began = async () => stopped.abort();
  const unfinished = world.job(ref, 'sse-kms', { targetKey: 'copies/twice' });
  await expect(world.copied({ ...unfinished, began }, oneByOne(world, { stop: stopped.signal }))).rejects.toMatchObject({
    code: 'time-out',
  });

  const listed: unknown[] = [];
  const busy = async (all: unknown[]) => {
    listed.push(...all);
    throw new Error('somebody is at it');
  };
  await expect(world.copied(job({ spared: busy }))).rejects.toThrow('somebody is at it');
  expect(listed).toEqual([{ uploadId: expect.any(String), initiated: expect.any(Date) }]);
  expect(await world.uploads('copies/twice')).toHaveLength(1);

  await world.copied(job({}));
  expect(await world.uploads('copies/twice')).toEqual([]);
  expect((await world.read(TARGET_BUCKET, 'copies/twice')).bytes.equals(large)).toBe(true);
});
