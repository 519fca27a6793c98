import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFile, openStream, type Source } from '../../../cli/put/source.ts';
import { type Drop, partBytesFor, upload } from '../../../cli/put/upload.ts';

const PART = 100;
const BODY = Buffer.from(Array.from({ length: 10 * PART }, (_, index) => index % 251));
const DROP: Drop = { bucket: 'ingest', key: 'k', contentType: 'text/plain', metadata: { owner: 'me' }, tags: { a: 'b c', d: '&' } };
const DESCRIBED = { Bucket: 'ingest', Key: 'k', ContentType: 'text/plain', Metadata: { owner: 'me' }, Tagging: 'a=b+c&d=%26' };

const s3 = mockClient(S3Client);
let folder: string;
/** Copies: their buffers are used again. */
let sent: Map<number, Buffer>;
let most: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-upload-'));
  sent = new Map();
  most = 0;
  let now = 0;
  s3.on(PutObjectCommand).resolves({ VersionId: 'v1' });
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
  s3.on(UploadPartCommand).callsFake(async ({ PartNumber, Body }: { PartNumber: number; Body: Buffer }) => {
    most = Math.max(most, ++now);
    // So that they do not end in their order.
    await new Promise((resolve) => setTimeout(resolve, PartNumber % 2 === 1 ? 15 : 5));
    now -= 1;
    sent.set(PartNumber, Buffer.from(Body));
    return { ETag: `"${PartNumber}"`, ChecksumCRC64NVME: `c${PartNumber}` };
  });
  s3.on(CompleteMultipartUploadCommand).resolves({ VersionId: 'v2' });
  s3.on(AbortMultipartUploadCommand).resolves({});
});
afterEach(() => {
  s3.reset();
  rmSync(folder, { recursive: true });
});

async function put(source: Source, signal = new AbortController().signal) {
  let counted = 0;
  const count = (bytes: number) => {
    counted += bytes;
  };
  const dropped = await upload(new S3Client({}), DROP, source, { partBytes: PART, signal, count });
  await source.close();
  return { ...dropped, counted };
}

async function fileOf(bytes: Buffer): Promise<Source> {
  writeFileSync(join(folder, 'f'), bytes);
  return openFile(join(folder, 'f'));
}
const streamOf = (...chunks: Buffer[]) => openStream(Readable.from(chunks));
const oddChunks = (bytes: Buffer) =>
  Array.from({ length: Math.ceil(bytes.length / 37) }, (_, index) => bytes.subarray(index * 37, (index + 1) * 37));
const uploaded = () => Buffer.concat([...sent].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
const callsOf = () => s3.calls().map(({ args }) => args[0].constructor.name.replace('Command', ''));

describe.each<[string, (bytes: Buffer) => Promise<Source>]>([
  ['a file', fileOf],
  ['standard input', async (bytes) => streamOf(...oddChunks(bytes))],
])('%s', (_, sourceOf) => {
  test.each([0, 1, PART])('of %d bytes goes by one request', async (size) => {
    expect(await put(await sourceOf(BODY.subarray(0, size)))).toEqual({ versionId: 'v1', bytes: size, counted: size });
    expect(callsOf()).toEqual(['PutObject']);
    const { Body, ...input } = s3.commandCalls(PutObjectCommand)[0]?.args[0].input ?? {};
    expect(input).toEqual({ ...DESCRIBED, ChecksumAlgorithm: 'CRC64NVME' });
    expect(BODY.subarray(0, size).equals(Body as Buffer)).toBe(true);
  });

  test.each([PART + 1, 2 * PART, 10 * PART - 1, 10 * PART])('of %d bytes goes in parts, four at once at most', async (size) => {
    expect(await put(await sourceOf(BODY.subarray(0, size)))).toEqual({ versionId: 'v2', bytes: size, counted: size });
    expect(uploaded().equals(BODY.subarray(0, size))).toBe(true);
    expect([...sent.values()].slice(0, -1).every(({ length }) => length <= PART)).toBe(true);
    expect(sent.size).toBe(Math.ceil(size / PART));
    expect(most).toBeLessThanOrEqual(4);
    expect(s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toEqual({
      ...DESCRIBED,
      ChecksumAlgorithm: 'CRC64NVME',
      ChecksumType: 'FULL_OBJECT',
    });
    const Parts = Array.from({ length: sent.size }, (__, index) => index + 1).map((PartNumber) => ({
      PartNumber,
      ETag: `"${PartNumber}"`,
      ChecksumCRC64NVME: `c${PartNumber}`,
    }));
    expect(s3.commandCalls(CompleteMultipartUploadCommand)[0]?.args[0].input).toEqual({
      Bucket: 'ingest',
      Key: 'k',
      UploadId: 'u',
      MultipartUpload: { Parts },
      MpuObjectSize: size,
      ChecksumType: 'FULL_OBJECT',
    });
  });
});

describe('an upload that cannot be ended is aborted, and no more of it is read', () => {
  const gone = () => {
    expect(s3.commandCalls(CompleteMultipartUploadCommand)).toHaveLength(0);
    expect(s3.commandCalls(AbortMultipartUploadCommand)[0]?.args[0].input).toEqual({ Bucket: 'ingest', Key: 'k', UploadId: 'u' });
    expect(callsOf().at(-1)).toBe('AbortMultipartUpload');
  };

  test('when S3 refuses a part', async () => {
    const source = await fileOf(BODY);
    s3.on(UploadPartCommand, { PartNumber: 3 }).rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
    await expect(put(source)).rejects.toMatchObject({ name: 'AccessDenied' });
    gone();
    expect(s3.commandCalls(UploadPartCommand).length).toBeLessThan(8);
  });

  test('when it is told to stop', async () => {
    const abort = new AbortController();
    s3.on(UploadPartCommand, { PartNumber: 3 }).callsFake(async () => {
      abort.abort(new Error('told to stop'));
      return { ETag: '"3"' };
    });
    await expect(put(await fileOf(BODY), abort.signal)).rejects.toThrow('told to stop');
    gone();
  });

  test('when the file changes while it is read', async () => {
    const source = await fileOf(BODY);
    s3.on(UploadPartCommand, { PartNumber: 3 }).callsFake(async () => {
      writeFileSync(join(folder, 'f'), BODY.subarray(0, 950));
      return { ETag: '"3"' };
    });
    await expect(put(source)).rejects.toThrow('changed while it was read: nothing was put.');
    gone();
  });

  test('when standard input breaks', async () => {
    const stream = Readable.from(
      (async function* () {
        yield BODY;
        throw new Error('broken pipe');
      })(),
    );
    await expect(put(openStream(stream))).rejects.toThrow('broken pipe');
    gone();
  });
});

test('a small file that changes while it is read is not put', async () => {
  const source = await fileOf(BODY.subarray(0, 50));
  writeFileSync(join(folder, 'f'), BODY.subarray(0, 60));
  await expect(put(source)).rejects.toThrow('changed while it was read');
  expect(callsOf()).toEqual([]);
});

test.each([
  ['a folder', () => folder, 'is no file'],
  ['nothing', () => join(folder, 'nothing'), 'cannot be read (ENOENT'],
])('%s is no source', async (_, path, said) => {
  await expect(openFile(path())).rejects.toThrow(said);
});

const MIB = 2 ** 20;
test.each([
  [null, 16],
  [160_000 * MIB, 16],
  [160_000 * MIB + 1, 17],
  [5_120_000 * MIB, 512],
])('of %j bytes a part has %d MiB, so that there are 10,000 at most', (size, mib) => {
  expect(partBytesFor(size, 16 * MIB)).toBe(mib * MIB);
});

test('what would need larger parts than memory has is refused before anything is read', () => {
  expect(() => partBytesFor(5_120_000 * MIB + 1, 16 * MIB)).toThrow('more than');
});
