import { createServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pace } from '../../../sandbox/faults/answer.ts';
import { createUnencryptedUploads } from '../../../sandbox/faults/encryption.ts';
import { slowDown } from '../../../sandbox/faults/inflict.ts';
import type { WireRequest } from '../../../sandbox/service.ts';
import { openSandbox } from '../s3/sandbox.ts';
import { openStage, type Stage } from './workbench.ts';

const BYTES = 1_000_000;
/** Nobody waits for it. */
const FOREVER_MS = 600_000;

describe('on the wire', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
    await stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'large', Body: Buffer.alloc(BYTES, 'x') }));
  });
  afterEach(() => stage.faults.clear());
  afterAll(() => stage[Symbol.asyncDispose]());

  const copy = (index = 0) => stage.s3.send(new CopyObjectCommand({ Bucket: 'target', Key: `copy-${index}`, CopySource: 'drop/large' }));

  test('calls in parallel wait at the same time, and are all answered', async () => {
    stage.faults.set({ rules: [{ service: 's3', operation: 'CopyObject', caller: '*', fault: { kind: 'slow', latencyMs: 50 } }] });
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

  test('a paced answer arrives whole', async () => {
    stage.faults.set({ rules: [{ service: 's3', caller: '*', fault: { kind: 'slow', bytesPerSecond: BYTES * 20 } }] });
    const { Body } = await stage.s3.send(new GetObjectCommand({ Bucket: 'drop', Key: 'large' }));
    expect(Buffer.compare(Buffer.from((await Body?.transformToByteArray()) ?? []), Buffer.alloc(BYTES, 'x'))).toBe(0);
  });
});

test('a call that waits is not yet done, others pass it, and a sandbox that stops drops it', async () => {
  const slow = { kind: 'slow', latencyMs: FOREVER_MS } as const;
  const stage = await openStage({ faults: { rules: [{ operation: 'PutObject', caller: '*', fault: slow }] } });
  const arrived = Promise.withResolvers<void>();
  const statuses: (number | null)[] = [];
  stage.faults.observe(({ phase, operation, status }) => {
    if (operation !== 'PutObject') return;
    if (phase === 'after') statuses.push(status);
    else arrived.resolve();
  });
  const waiting = stage.s3.send(new PutObjectCommand({ Bucket: 'drop', Key: 'late', Body: 'x' })).catch((error: unknown) => error);
  await arrived.promise;
  await expect(stage.s3.send(new HeadObjectCommand({ Bucket: 'drop', Key: 'late' }))).rejects.toMatchObject({ name: 'NotFound' });
  await stage[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ code: 'ECONNRESET' });
  expect(statuses).toEqual([null]);
});

describe('how long', () => {
  const stageOf = (copied: number | null, contentLength: number, waits: number[]) => {
    const request = { contentLength, headers: {} } as WireRequest;
    const wait = async (ms: number) => waits.push(ms) > 0;
    const response = new ServerResponse(Object({ method: 'PUT' }));
    const rest = { operation: 'X', work: async () => {}, kill: () => {}, uploads: createUnencryptedUploads() };
    return { ...rest, request, response, copiedBytes: () => copied, patience: { wait, close: () => {} } };
  };

  test.each([
    ['the latency', [{ latencyMs: 70 }], null, 0, 70],
    ['the bytes of the request', [{ bytesPerSecond: 1000 }], null, 500, 500],
    ['the bytes that are copied, not those of the request', [{ bytesPerSecond: 1000 }], 2000, 10, 2000],
    ['all of it, over all rules', [{ latencyMs: 5, bytesPerSecond: 1000 }, { latencyMs: 7 }, { bytesPerSecond: 500 }], 1000, 0, 3012],
  ])('a call waits: %s', async (_what, faults, copied, contentLength, expected) => {
    const waits: number[] = [];
    const slow = faults.map((fault) => ({ kind: 'slow' as const, ...fault }));
    expect(await slowDown(slow, stageOf(copied, contentLength, waits))).toBe(true);
    expect(waits).toEqual([expected]);
  });

  test('an answer is held back for every byte of it', async () => {
    let waited = 0;
    const server = createServer((_request, response) => {
      pace(response, async (bytes) => {
        waited += bytes;
        return true;
      });
      response.writeHead(200, { 'content-length': BYTES });
      void pipeline(Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(BYTES / 10, 'x'))), response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await reply.arrayBuffer()).byteLength).toBe(BYTES);
    expect(waited).toBe(BYTES);
    server.close();
    server.closeAllConnections();
  });

  test('a copy moves its source, or the range of it that the request names', async () => {
    await using sandbox = await openSandbox();
    await sandbox.client.send(new PutObjectCommand({ Bucket: 'drop', Key: 'a b', Body: Buffer.alloc(300) }));
    const bytes = (headers: Record<string, string>) => sandbox.s3.copiedBytes(Object({ headers }));
    expect(bytes({ 'x-amz-copy-source': 'drop/a%20b' })).toBe(300);
    expect(bytes({ 'x-amz-copy-source': '/drop/a%20b', 'x-amz-copy-source-range': 'bytes=100-149' })).toBe(50);
    expect(bytes({ 'x-amz-copy-source': 'drop/missing' })).toBeNull();
    expect(bytes({ 'x-amz-copy-source': 'nowhere/at-all' })).toBeNull();
    expect(bytes({ 'x-amz-copy-source': '%' })).toBeNull();
    expect(bytes({})).toBeNull();
  });
});
