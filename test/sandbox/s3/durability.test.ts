/** What lies on the disk: nothing readable, nothing left over, everything after a restart. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BUCKET as Bucket, customerKey, openSandbox, refusal, sample } from './sandbox.ts';

const KEY = randomBytes(32);
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sandbox-s3-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile());
const bytesOf = async (client: S3Client, Key: string, extra: object = {}) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

const MODES: [string, object][] = [
  ['sse-s3', {}],
  ['sse-kms', { ServerSideEncryption: 'aws:kms' }],
  ['bucket-key', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true }],
  ['dsse', { ServerSideEncryption: 'aws:kms:dsse' }],
  ['sse-c', customerKey(KEY)],
];

test('objects of every mode, and an upload under way, outlive a restart; their bytes are nowhere on the disk', async () => {
  const canary = Buffer.from('canary-7f3a9c-in-clear-text');
  const bodies = [Buffer.concat([canary, sample(100)]), Buffer.concat([sample(300_000), canary, sample(50)])];
  const first = await openSandbox({ dir });
  for (const [name, encryption] of MODES) {
    for (const [index, Body] of bodies.entries())
      await first.client.send(new PutObjectCommand({ Bucket, Key: `${name}/${index}`, Body, ...encryption }));
  }
  const { UploadId } = await first.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'upload', ...customerKey(KEY) }));
  const part = { Bucket, Key: 'upload', UploadId, PartNumber: 1 };
  const { ETag } = await first.client.send(new UploadPartCommand({ ...part, Body: canary, ...customerKey(KEY) }));
  await first.stop();

  const files = filesIn(dir);
  expect(files.length).toBeGreaterThan(MODES.length);
  for (const path of files) {
    const bytes = readFileSync(path);
    expect([path, bytes.includes(canary)]).toEqual([path, false]);
    expect([path, bytes.includes(KEY), bytes.includes(KEY.toString('base64'))]).toEqual([path, false, false]);
    if (path.includes('objects') || path.endsWith('root.key')) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  }

  const second = await openSandbox({ dir });
  for (const [name] of MODES) {
    const extra = name === 'sse-c' ? customerKey(KEY) : {};
    for (const [index, Body] of bodies.entries()) expect((await bytesOf(second.client, `${name}/${index}`, extra)).equals(Body)).toBe(true);
  }
  await second.client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key: 'upload', UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
  );
  expect((await bytesOf(second.client, 'upload', customerKey(KEY))).equals(canary)).toBe(true);
  await second.stop();
});

test('the two layers are independent: either key alone leaves ciphertext', async () => {
  const { createSecretKey } = await import('node:crypto');
  const { newCounters, segmentCipher } = await import('../../../sandbox/s3/encryption/cipher.ts');
  const keys = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))];
  const plain = sample(1000);
  const counters = newCounters(keys);
  const stored = segmentCipher(keys, counters)(plain);
  for (const [index, key] of keys.entries()) {
    const peeled = segmentCipher([key], counters.subarray(index * 16, index * 16 + 16))(stored);
    expect(peeled.equals(plain)).toBe(false);
    expect(peeled.equals(stored)).toBe(false);
  }
  expect(segmentCipher(keys, counters)(stored).equals(plain)).toBe(true);
});

const rowsIn = (db: DatabaseSync): string[] =>
  db
    .prepare('SELECT hex(bytes) AS bytes FROM s3_blob')
    .all()
    .map(({ bytes }) => String(bytes));

test.each([1000, 100_000])('the same %i bytes are stored differently each time', async (size) => {
  await using sandbox = await openSandbox();
  const Body = sample(size);
  for (const Key of ['one', 'two']) await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const files = filesIn(join(sandbox.dir, 'objects')).map((path) => readFileSync(path).toString('hex'));
  expect(new Set([...files, ...rowsIn(sandbox.state.db)]).size).toBe(2);
});

test('a deleted object’s files go, but not under a download that has yet to open them', async () => {
  await using sandbox = await openSandbox();
  const bodies = [sample(20_000_000, 1), sample(1000, 2)];
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const part = { Bucket, Key: 'large', UploadId, PartNumber: index + 1, Body };
    Parts.push({ PartNumber: index + 1, ETag: (await sandbox.client.send(new UploadPartCommand(part))).ETag });
  }
  await sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'large', UploadId, MultipartUpload: { Parts } }));
  const { Body: stream } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'large' }));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket, Key: 'large' }));
  expect(Buffer.from((await stream?.transformToByteArray()) ?? []).equals(Buffer.concat(bodies))).toBe(true);
  await expect.poll(() => [...filesIn(join(sandbox.dir, 'objects')), ...rowsIn(sandbox.state.db)]).toEqual([]);
});

test.each([
  ['in a thread', 1000],
  ['in pieces', Number.POSITIVE_INFINITY],
])('a copy %s of a file that was cut short fails, and leaves nothing', async (_how, threadBytes) => {
  await using sandbox = await openSandbox({ limits: { threadBytes } });
  const source = { Bucket, Key: 'source', Body: sample(1_000_000) };
  await sandbox.client.send(new PutObjectCommand(source));
  const copy = () => sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source` }));
  await copy();
  const folder = join(sandbox.dir, 'objects');
  const files = filesIn(folder);
  for (const file of files) truncateSync(file, 999_999);
  expect((await refusal(copy())).answer).toBe('500 InternalError');
  expect([filesIn(folder), sandbox.defects]).toEqual([
    files,
    [expect.objectContaining({ message: expect.stringContaining('fewer bytes') })],
  ]);
  await sandbox.client.send(new PutObjectCommand(source));
  await copy();
});

test('an upload that breaks off leaves nothing', async () => {
  await using sandbox = await openSandbox();
  const controller = new AbortController();
  async function* endless() {
    yield sample(1_000_000);
    controller.abort();
    yield sample(1_000_000);
  }
  const { Readable } = await import('node:stream');
  const put = new PutObjectCommand({ Bucket, Key: 'broken', Body: Readable.from(endless()), ContentLength: 50_000_000 });
  await expect(sandbox.client.send(put, { abortSignal: controller.signal })).rejects.toThrow();
  await expect.poll(() => filesIn(join(sandbox.dir, 'objects'))).toEqual([]);
  expect((await sandbox.client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
});

test('killed with -9 while writing, it starts with whole objects only and no stray file', async () => {
  const server = await startProcess(dir);
  const client = new S3Client({ ...server.client, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
  const bodies = new Map<string, Buffer>();
  const answered: string[] = [];
  const writes = Array.from({ length: 40 }, async (_, index) => {
    const Key = `k/${index}`;
    const Body = sample(index % 2 ? 2_000_000 : 10_000, index + 1);
    bodies.set(Key, Body);
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    answered.push(Key);
    if (answered.length === 12) server.process.kill('SIGKILL');
  });
  await Promise.allSettled(writes);
  await server.exited;
  client.destroy();

  const again = await openSandbox({ dir });
  const { Contents = [] } = await again.client.send(new ListObjectsV2Command({ Bucket }));
  const found = Contents.map(({ Key }) => Key ?? '');
  expect(answered.length).toBeLessThan(40);
  expect(found).toEqual(expect.arrayContaining(answered));
  for (const Key of found) expect((await bytesOf(again.client, Key)).equals(bodies.get(Key) ?? Buffer.alloc(0))).toBe(true);
  expect(filesIn(join(dir, 'objects')).length + rowsIn(again.state.db).length).toBe(found.length);
  await again.stop();
});

test('killed with -9 in mid-part, it starts with whole parts only and no stray file, and the upload goes on', async () => {
  const [partBytes, count] = [6_000_000, 6];
  const Body = sample(partBytes * count);
  const server = await startProcess(dir);
  const client = new S3Client({ ...server.client, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
  const at = { Bucket, Key: 'copied' };
  await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body }));
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
  const copy = (PartNumber: number) => {
    const CopySourceRange = `bytes=${(PartNumber - 1) * partBytes}-${PartNumber * partBytes - 1}`;
    return new UploadPartCopyCommand({ ...at, UploadId, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange });
  };
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await client.send(copy(1));
  // Each several times over, so that it is still busy when it dies.
  const copying = Array.from({ length: 8 }, () => numbers.slice(1).map((number) => client.send(copy(number)))).flat();
  const folder = join(dir, 'objects');
  await expect.poll(() => filesIn(folder).length, { interval: 1 }).toBeGreaterThan(2);
  server.process.kill('SIGKILL');
  const settled = await Promise.allSettled(copying);
  await server.exited;
  client.destroy();
  expect(settled.some(({ status }) => status === 'rejected')).toBe(true);

  const again = await openSandbox({ dir });
  const { Parts = [] } = await again.client.send(new ListPartsCommand({ ...at, UploadId }));
  expect(Parts.map(({ PartNumber, Size }) => [PartNumber, Size])).toContainEqual([1, partBytes]);
  expect(Parts.every(({ Size }) => Size === partBytes)).toBe(true);
  expect(filesIn(folder)).toHaveLength(1 + Parts.length);
  const kept = new Map(Parts.map(({ PartNumber, ETag }) => [PartNumber, ETag]));
  for (const number of numbers.filter((number) => !kept.has(number))) {
    kept.set(number, (await again.client.send(copy(number))).CopyPartResult?.ETag);
  }
  const MultipartUpload = { Parts: numbers.map((PartNumber) => ({ PartNumber, ETag: kept.get(PartNumber) })) };
  await again.client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }));
  expect((await bytesOf(again.client, at.Key)).equals(Body)).toBe(true);
  await again.stop();
});

interface ServerProcess {
  process: ChildProcess;
  exited: Promise<unknown>;
  client: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
}

async function startProcess(folder: string): Promise<ServerProcess> {
  const script = join(import.meta.dirname, 'server-process.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  return { process: child, exited, client: JSON.parse(String(line)) as ServerProcess['client'] };
}
