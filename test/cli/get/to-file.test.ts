import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Refusal } from '../../../cli/api/refusal.ts';
import { Worthless } from '../../../cli/get/worthless.ts';
import { download, type Folder, makeFolder, PART, TOKEN } from './downloads.ts';
import { type FakeApi, problem, startFakeApi } from './fake-api.ts';

const PARTS = 10;
const BODY = randomBytes(PARTS * PART - 1);

let api: FakeApi;
let folder: Folder;

beforeEach(async () => {
  api = await startFakeApi(BODY);
  folder = makeFolder();
  // Pauses between tries are part of a random time: none of it here.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
  folder.remove();
});

const state = () => JSON.parse(folder.read('object.bin.part.json').toString()) as { etag: string; done: [number, number][] };
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
/** Answers a part from then on as another would. */
const failAt = (index: number, how: FakeApi['answer']) => {
  api.answer = (asked, response, serve) => (asked.first === index * PART && asked.last >= 0 ? how(asked, response, serve) : serve());
};

describe('a file', () => {
  test.each([1, PART - 1, PART, PART + 1, 3 * PART])('of %d bytes comes in parts, once each, and nothing else is left', async (size) => {
    api.object.body = BODY.subarray(0, size);
    expect(await download(api, folder.file)).toEqual({ proof: 'length only', resumedBytes: 0 });
    expect(folder.read().equals(api.object.body)).toBe(true);
    expect(folder.names()).toEqual(['object.bin']);
    expect(new Set(api.ranges()).size).toBe(Math.ceil(size / PART));
    expect(api.ranges()).toHaveLength(Math.ceil(size / PART));
  });

  test('of no bytes is there without a part', async () => {
    api.object.body = Buffer.alloc(0);
    expect(await download(api, folder.file)).toMatchObject({ proof: 'length only' });
    expect(folder.read()).toHaveLength(0);
    expect([api.ranges(), folder.names()]).toEqual([[], ['object.bin']]);
  });

  test('is asked for by its key, as it stands, of one version and ETag, without redirects', async () => {
    await download(api, folder.file);
    const [head, ...parts] = api.asked;
    expect(Object.fromEntries(head?.query ?? [])).toEqual({ key: 'a key/ü+%.bin', redirect: 'never' });
    for (const { query, headers } of parts) {
      expect(Object.fromEntries(query)).toEqual({ key: 'a key/ü+%.bin', redirect: 'never', versionId: 'v1' });
      expect(headers).toMatchObject({ 'if-match': '"first"', authorization: `Bearer ${TOKEN}` });
    }
  });

  test('of a bucket without versions is held together by its ETag alone', async () => {
    api.object.versionId = null;
    await download(api, folder.file);
    expect(api.asked.some(({ query }) => query.has('versionId'))).toBe(false);
    expect(folder.read().equals(BODY)).toBe(true);
  });

  test('comes with no more parts at once than was said', async () => {
    let now = 0;
    let most = 0;
    api.answer = (_, response, serve) => {
      most = Math.max(most, ++now);
      response.on('close', () => --now);
      setTimeout(serve, 20);
    };
    await download(api, folder.file, { parallel: 3 });
    expect(most).toBe(3);
  });
});

describe('a download that breaks off', () => {
  const breakAt = (index: number) => failAt(index, (_, response) => problem(response, 403, 'forbidden'));

  test('goes on with the parts that are missing', async () => {
    breakAt(6);
    await expect(download(api, folder.file, { parallel: 1 })).rejects.toThrow(Refusal);
    expect(folder.names()).toEqual(['object.bin.part', 'object.bin.part.json']);
    expect(state()).toMatchObject({ etag: '"first"', done: [[0, 5]] });
    expect(folder.read('object.bin.part.json').toString()).not.toContain('canary');

    api.asked = [];
    api.answer = (_, __, serve) => serve();
    expect(await download(api, folder.file, { partBytes: 7 })).toMatchObject({ resumedBytes: 6 * PART });
    expect(api.ranges().sort()).toEqual(['6000-6999', '7000-7999', '8000-8999', '9000-9998']);
    expect(folder.read().equals(BODY)).toBe(true);
    expect(folder.names()).toEqual(['object.bin']);
  });

  test.each<[what: string, change: () => void]>([
    ['another ETag', () => Object.assign(api.object, { etag: '"second"' })],
    ['another version', () => Object.assign(api.object, { versionId: 'v2' })],
    ['another length', () => Object.assign(api.object, { body: Buffer.concat([BODY, BODY]) })],
    ['a record that is none', () => writeFileSync(`${folder.file}.part.json`, '{"done":[[0,9]]}')],
    ['a record that was cut', () => truncateSync(`${folder.file}.part.json`, 20)],
    ['parts that are gone', () => rmSync(`${folder.file}.part`)],
    ['parts that were cut', () => truncateSync(`${folder.file}.part`, 100)],
  ])('begins anew with %s', async (_, change) => {
    breakAt(6);
    await expect(download(api, folder.file, { parallel: 1 })).rejects.toThrow();
    change();
    api.asked = [];
    api.answer = (__, ___, serve) => serve();
    expect(await download(api, folder.file)).toMatchObject({ resumedBytes: 0 });
    expect(api.ranges()).toHaveLength(Math.ceil(api.object.body.length / PART));
    expect(folder.read().equals(api.object.body)).toBe(true);
  });

  test('by a signal leaves what is there', async () => {
    const abort = new AbortController();
    failAt(5, () => abort.abort(new Error('interrupted')));
    await expect(download(api, folder.file, { parallel: 1, signal: abort.signal })).rejects.toThrow('interrupted');
    expect(state().done).toEqual([[0, 4]]);
  });
});

test('what is shown of it counts a part that comes again once', async () => {
  failAt(4, (asked, response, serve) => {
    if (asked.time > 1) return serve();
    response.writeHead(206, { etag: '"first"', 'content-range': `bytes 4000-4999/${BODY.length}`, 'content-length': PART });
    response.write(BODY.subarray(4000, 4500), () => response.destroy());
  });
  const shown: Record<string, number[]> = {};
  const progress = (label: string) => {
    const seen: number[] = [];
    shown[label] = seen;
    return { update: (bytes: number) => void seen.push(bytes), clear: () => {} };
  };
  await download(api, folder.file, { progress });
  expect(shown.fetching?.at(-1)).toBe(BODY.length);
  expect(Math.max(...(shown.fetching ?? []))).toBe(BODY.length);
  expect(shown.checking?.at(-1)).toBe(BODY.length);
});

test('an object that changes while it is fetched is no file, and nothing of it stays', async () => {
  failAt(4, (_, __, serve) => {
    api.object = { ...api.object, body: randomBytes(BODY.length), etag: '"second"' };
    serve();
  });
  const failure = await download(api, folder.file).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Worthless);
  expect(failure).toMatchObject({ message: 'a key/ü+%.bin changed while it was fetched.', code: 'precondition-failed' });
  expect(folder.names()).toEqual([]);
});

describe('what came is proven', () => {
  test.each([
    ['sha256', sha256(BODY)],
    ['sha1', createHash('sha1').update(BODY).digest('base64')],
    ['crc32', Buffer.from(crc32(BODY).toString(16).padStart(8, '0'), 'hex').toString('base64')],
  ])('by its %s', async (name, value) => {
    api.object.headers = { [`x-amz-checksum-${name}`]: value, 'x-amz-checksum-type': 'FULL_OBJECT' };
    expect(await download(api, folder.file)).toMatchObject({ proof: name });
  });

  test.each([
    ['of parts', { 'x-amz-checksum-sha256': `${sha256(BODY)}-3`, 'x-amz-checksum-type': 'COMPOSITE' }],
    ['of parts, without its type', { 'x-amz-checksum-sha256': `${sha256(BODY)}-3` }],
    ['that nobody here knows', { 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' }],
  ])('by its length alone where S3 tells a checksum %s', async (_, headers) => {
    api.object.headers = headers;
    expect(await download(api, folder.file)).toMatchObject({ proof: 'length only' });
  });

  test('or is no file, and nothing of it stays', async () => {
    api.object.headers = { 'x-amz-checksum-sha256': sha256(BODY) };
    api.object.body = Buffer.from(BODY).fill(0, 4321, 4322);
    await expect(download(api, folder.file)).rejects.toThrow('what came is not what S3 stored, as its sha256 checksum says');
    expect(folder.names()).toEqual([]);
  });

  test('with the parts of an earlier run', async () => {
    api.object.headers = { 'x-amz-checksum-sha256': sha256(BODY) };
    failAt(6, (_, response) => problem(response, 403, 'forbidden'));
    await expect(download(api, folder.file, { parallel: 1 })).rejects.toThrow();
    const part = folder.read('object.bin.part');
    writeFileSync(`${folder.file}.part`, part.fill(0, 10, 20));
    api.answer = (_, __, serve) => serve();
    await expect(download(api, folder.file)).rejects.toThrow(Worthless);
    expect(existsSync(folder.file)).toBe(false);
  });
});

describe('a file that is there', () => {
  test('by the end of the download is not replaced', async () => {
    failAt(3, (_, __, serve) => {
      writeFileSync(folder.file, 'precious');
      serve();
    });
    await expect(download(api, folder.file)).rejects.toThrow('came into being while this ran');
    expect(folder.read().toString()).toBe('precious');
    expect(await download(api, folder.file, { overwrite: true })).toMatchObject({ resumedBytes: BODY.length });
    expect(folder.read().equals(BODY)).toBe(true);
  });

  test('as FILE.part of another run is not put in the place of what was proven', async () => {
    failAt(3, (_, __, serve) => {
      rmSync(`${folder.file}.part`);
      writeFileSync(`${folder.file}.part`, 'of another run');
      serve();
    });
    await expect(download(api, folder.file)).rejects.toThrow('was replaced while this ran');
    expect(existsSync(folder.file)).toBe(false);
  });

  test('whose FILE.part another run began meanwhile is not recorded beside it, nor gone on with', async () => {
    failAt(3, (_, __, serve) => {
      rmSync(`${folder.file}.part`);
      writeFileSync(`${folder.file}.part`, Buffer.alloc(BODY.length));
      serve();
    });
    await expect(download(api, folder.file)).rejects.toThrow('was replaced while this ran');
    api.answer = (_, __, serve) => serve();
    expect(await download(api, folder.file)).toMatchObject({ resumedBytes: 0 });
    expect(folder.read().equals(BODY)).toBe(true);
  });

  test('is for who fetched it alone, also in the place of one that was not', async () => {
    const mode = () => statSync(folder.file).mode & 0o777;
    await download(api, folder.file);
    expect(mode()).toBe(0o600);
    chmodSync(folder.file, 0o644);
    await download(api, folder.file, { overwrite: true });
    expect(mode()).toBe(0o600);
  });
});
