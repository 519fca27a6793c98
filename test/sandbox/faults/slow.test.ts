import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from './workbench.ts';

const BYTES = 1_000_000;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  await stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'large', Body: Buffer.alloc(BYTES, 'x') }));
});
afterEach(() => stage.faults.clear());
afterAll(() => stage[Symbol.asyncDispose]());

/** Milliseconds that `work` takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const copy = (index = 0) => stage.s3.send(new CopyObjectCommand({ Bucket: 'target', Key: `copy-${index}`, CopySource: 'drop/large' }));

test('a request waits for its latency, a copy for its bytes as well, and others are served meanwhile', async () => {
  const rates = { kind: 'slow', latencyMs: 200, bytesPerSecond: BYTES / 0.3 } as const;
  stage.faults.set({ rules: [{ service: 's3', operation: 'CopyObject', caller: '*', fault: rates }] });
  let done = false;
  const slow = timed(copy).then((ms) => {
    done = true;
    return ms;
  });
  await stage.s3.send(new HeadObjectCommand({ Bucket: 'drop', Key: 'large' }));
  expect(done).toBe(false);
  expect(await slow).toBeGreaterThanOrEqual(499);
});

test('copies in parallel wait at the same time', async () => {
  stage.faults.set({ rules: [{ service: 's3', operation: 'CopyObject', caller: '*', fault: { kind: 'slow', latencyMs: 300 } }] });
  let most = 0;
  let underWay = 0;
  const stop = stage.faults.observe(({ phase }) => {
    underWay += phase === 'before' ? 1 : -1;
    most = Math.max(most, underWay);
  });
  await Promise.all(Array.from({ length: 8 }, (_, index) => copy(index)));
  stop();
  expect(most).toBe(8);
});

test('a copied part waits for the bytes of its range, not of its source', async () => {
  const { UploadId } = await stage.s3.send(new CreateMultipartUploadCommand({ Bucket: 'target', Key: 'parts' }));
  const waits: number[] = [];
  stage.faults.set({ rules: [{ operation: 'UploadPartCopy', caller: '*', fault: { kind: 'slow', bytesPerSecond: BYTES / 2 } }] });
  const part = { Bucket: 'target', Key: 'parts', UploadId, CopySource: 'drop/large' };
  for (const share of [0.05, 0.25]) {
    const range = { PartNumber: 1, CopySourceRange: `bytes=0-${BYTES * share - 1}` };
    waits.push(await timed(() => stage.s3.send(new UploadPartCopyCommand({ ...part, ...range }))));
  }
  expect(waits[0]).toBeGreaterThanOrEqual(99);
  expect(waits[1]).toBeGreaterThanOrEqual(499);
});

test('what comes back is held back as it goes out, whole', async () => {
  stage.faults.set({ rules: [{ service: 's3', caller: '*', fault: { kind: 'slow', bytesPerSecond: BYTES / 0.4 } }] });
  let received: Uint8Array | undefined;
  const ms = await timed(async () => {
    const { Body } = await stage.s3.send(new GetObjectCommand({ Bucket: 'drop', Key: 'large' }));
    received = await Body?.transformToByteArray();
  });
  expect(Buffer.compare(Buffer.from(received ?? []), Buffer.alloc(BYTES, 'x'))).toBe(0);
  expect(ms).toBeGreaterThanOrEqual(390);
});

test('a sandbox that stops drops the calls that wait', async () => {
  const other = await openStage({ faults: { rules: [{ caller: '*', fault: { kind: 'slow', latencyMs: 600_000 } }] } });
  const arrived = new Promise<void>((resolve) => other.faults.observe(() => resolve()));
  const waiting = other.s3.send(new HeadObjectCommand({ Bucket: 'drop', Key: 'x' })).catch((error: unknown) => error);
  await arrived;
  await other[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ code: 'ECONNRESET' });
});
