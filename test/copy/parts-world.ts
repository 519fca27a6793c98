/** What tests of copies in parts share: a source of six parts, clients that are watched, runs that end early. */
import { CopyObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import type { CopyDeps, CopyJob, Preparation, PreparedCopy, SavedUpload, StoredCopy } from '../../src/copy/copy-job.ts';
import { prepareCopy } from '../../src/copy/prepare-copy.ts';
import type { ObjectRef } from '../../src/events/index.ts';
import { sample } from '../sandbox/s3/sandbox.ts';
import { type CopyWorld, PART_BYTES, SOURCE_BUCKET, TARGET_BUCKET } from './copy-world.ts';

export const PARTS = 6;
export const BODY = sample((PARTS - 1) * PART_BYTES + 1);

/** Called before and after each call; `after` may throw, so that the answer is lost. */
export interface Watch {
  before?: (name: string, count: number) => void | Promise<void>;
  after?: (name: string, count: number) => void | Promise<void>;
}

/** A client that notes the names of its calls, and what it was told to do around them. */
export function watched(
  world: CopyWorld,
  { before, after }: Watch = {},
): { s3: S3Client; calls: string[]; count: (name: string) => number } {
  const s3 = world.sandbox.connect({ maxAttempts: 1 });
  const calls: string[] = [];
  const count = (name: string) => calls.filter((call) => call === name).length;
  s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const name = commandName.replace(/Command$/, '');
        calls.push(name);
        const number = count(name);
        await before?.(name, number);
        const answer = await next(args);
        await after?.(name, number);
        return answer;
      },
    { step: 'initialize' },
  );
  return { s3, calls, count };
}

/** One part after the other. */
export const oneByOne = (world: CopyWorld, deps: Partial<CopyDeps>): CopyDeps => ({
  ...world.deps,
  ...deps,
  limits: { ...world.deps.limits, parallelParts: 1 },
});

export const ready = (preparation: Preparation): PreparedCopy => {
  if (!('ready' in preparation)) throw new Error('the copy is unfinished');
  return preparation.ready;
};

/** Fails unless the target holds `body`, and no upload is left. */
export async function isThere(world: CopyWorld, ref: ObjectRef, stored: StoredCopy, body = BODY): Promise<void> {
  const { bytes, head } = await world.read(TARGET_BUCKET, ref.key);
  expect(bytes.equals(body)).toBe(true);
  expect(head.ETag).toBe(`"${stored.etag}"`);
  expect(head.VersionId).toBe(stored.versionId);
  expect(await world.uploads(ref.key)).toEqual([]);
}

/** A run that ends after so many parts, and what it saved. */
export async function stoppedAfter(world: CopyWorld, parts: number, job: CopyJob & { told: SavedUpload[] }): Promise<SavedUpload> {
  const stop = new AbortController();
  const { s3 } = watched(world, { before: (name, count) => void (name === 'UploadPartCopy' && count === parts && stop.abort()) });
  const preparation = await prepareCopy(oneByOne(world, { s3, stop: stop.signal }), job);
  expect(preparation).toEqual({ unfinished: { uploadId: job.told[0]?.uploadId, copiedParts: parts, parts: PARTS } });
  const [saved] = job.told;
  if (saved === undefined) throw new Error('the upload was not told of');
  return saved;
}

/** Past the pipeline. */
export const putTarget = (world: CopyWorld, ref: Pick<ObjectRef, 'key'>, more: object) =>
  world.client.send(new PutObjectCommand({ Bucket: TARGET_BUCKET, Key: ref.key, ...more }));
export const copyOver = (world: CopyWorld, ref: ObjectRef, more: object) =>
  world.client.send(
    new CopyObjectCommand({ Bucket: TARGET_BUCKET, Key: ref.key, CopySource: `${SOURCE_BUCKET}/${encodeURI(ref.key)}`, ...more }),
  );
