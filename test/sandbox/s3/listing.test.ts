import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
const Bucket = 'listed';
// In the order of their UTF-8 bytes: the last two are the other way round in UTF-16.
const KEYS = ['a', 'a/', 'a/1', 'a/2', 'a/b/c', 'a/b/d', 'a0', 'b', 'folder/x', 'folder/y', 'z', '\uFF5E', '😀'];
beforeAll(async () => {
  sandbox = await openSandbox();
  sandbox.s3.createBucket(Bucket);
  for (const Key of [...KEYS].reverse()) await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

type Query = Omit<ConstructorParameters<typeof ListObjectsV2Command>[0], 'Bucket'>;
const list = (query: Query = {}) => sandbox.client.send(new ListObjectsV2Command({ Bucket, ...query }));
const entries = ({ Contents = [], CommonPrefixes = [] }: Awaited<ReturnType<typeof list>>) => [
  ...CommonPrefixes.map(({ Prefix }) => `${Prefix}*`),
  ...Contents.map(({ Key }) => Key),
];

describe('ListObjectsV2', () => {
  test('lists in the order of UTF-8 bytes', async () => {
    const page = await list();
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(KEYS);
    expect([page.KeyCount, page.IsTruncated, page.NextContinuationToken]).toEqual([KEYS.length, false, undefined]);
    expect(page.Contents?.[0]).toMatchObject({ Size: 1, StorageClass: 'STANDARD', ETag: '"0cc175b9c0f1b6a831c399e269772661"' });
    expect(page.Contents?.[0]?.Owner).toBeUndefined();
  });

  test.each([
    ['a prefix', { Prefix: 'a/' }, ['a/', 'a/1', 'a/2', 'a/b/c', 'a/b/d']],
    ['a delimiter', { Delimiter: '/' }, ['a/*', 'folder/*', 'a', 'a0', 'b', 'z', '\uFF5E', '😀']],
    ['a prefix and a delimiter', { Prefix: 'a/', Delimiter: '/' }, ['a/b/*', 'a/', 'a/1', 'a/2']],
    ['a prefix that is no folder', { Prefix: 'a', Delimiter: '/' }, ['a/*', 'a', 'a0']],
    [
      'a longer delimiter',
      { Delimiter: '/b/' },
      ['a/b/*', 'a', 'a/', 'a/1', 'a/2', 'a0', 'b', 'folder/x', 'folder/y', 'z', '\uFF5E', '😀'],
    ],
    ['a key to start after', { StartAfter: 'folder/x' }, ['folder/y', 'z', '\uFF5E', '😀']],
    ['a start that is no key', { StartAfter: 'a/2x', Prefix: 'a' }, ['a/b/c', 'a/b/d', 'a0']],
    ['a start inside a common prefix', { StartAfter: 'a/1', Delimiter: '/' }, ['folder/*', 'a0', 'b', 'z', '\uFF5E', '😀']],
    ['a start before the prefix', { StartAfter: 'a', Prefix: 'folder/' }, ['folder/x', 'folder/y']],
    ['a start after the prefix', { StartAfter: 'z', Prefix: 'a' }, []],
    ['nothing that matches', { Prefix: 'none' }, []],
  ])('with %s', async (_, query, expected) => {
    expect(entries(await list(query))).toEqual(expected);
  });

  test.each([1, 2, 3, KEYS.length - 1, KEYS.length, KEYS.length + 1])('pages of %i tile the listing', async (MaxKeys) => {
    for (const Delimiter of [undefined, '/']) {
      const whole = entries(await list({ ...(Delimiter ? { Delimiter } : {}) })).sort();
      const found: (string | undefined)[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await list({ MaxKeys, ...(Delimiter ? { Delimiter } : {}), ...(ContinuationToken ? { ContinuationToken } : {}) });
        expect(page.KeyCount).toBe(entries(page).length);
        expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
        expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
        found.push(...entries(page));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
      expect(found.sort()).toEqual(whole);
    }
  });

  test('gives nothing for max-keys 0 and at most 1000 otherwise', async () => {
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false, MaxKeys: 0 });
    expect((await list({ MaxKeys: 5000 })).MaxKeys).toBe(1000);
  });

  test('names owners and encodes names when asked', async () => {
    const page = await list({ FetchOwner: true, EncodingType: 'url', Prefix: '😀' });
    expect(page.Contents?.[0]).toMatchObject({ Key: '%F0%9F%98%80', Owner: { ID: '000000000000' } });
  });

  test('refuses a token that it did not give', async () => {
    const { answer, message } = await refusal(list({ ContinuationToken: 'made up' }));
    expect([answer, message]).toEqual(['400 InvalidArgument', 'The continuation token provided is incorrect']);
  });
});

test('ListObjects names the next marker only with a delimiter', async () => {
  const page = (query: { Delimiter?: string; Marker?: string }) =>
    sandbox.client.send(new ListObjectsCommand({ Bucket, MaxKeys: 2, ...query }));
  const plain = await page({});
  expect([plain.IsTruncated, plain.NextMarker, plain.Contents?.at(-1)?.Key]).toEqual([true, undefined, 'a/']);
  const first = await page({ Delimiter: '/' });
  expect([first.NextMarker, first.CommonPrefixes?.[0]?.Prefix]).toEqual(['a/', 'a/']);
  const second = await page({ Delimiter: '/', Marker: 'a/' });
  expect(second.Contents?.map(({ Key }) => Key)).toEqual(['a0', 'b']);
  expect(second.Contents?.[0]?.Owner?.ID).toBe('000000000000');
});

test('ListMultipartUploads pages by key and upload', async () => {
  const begin = async (Key: string) => (await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId;
  const ids = [await begin('u/1'), await begin('u/1'), await begin('u/2')];
  const page = (query: { KeyMarker?: string; UploadIdMarker?: string; Delimiter?: string } = {}) =>
    sandbox.client.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...query }));
  const found: (string | undefined)[] = [];
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (let truncated = true; truncated; ) {
    const { Uploads = [], NextKeyMarker = '', NextUploadIdMarker = '', IsTruncated = false } = await page(marker);
    found.push(...Uploads.map(({ UploadId }) => UploadId));
    marker = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
    truncated = IsTruncated;
  }
  expect(found).toEqual(ids);
  expect((await page({ Delimiter: '/' })).CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['u/']);
});

test('folders of 100,000 keys, and a page near the end, are sought and not scanned', async () => {
  const { db } = sandbox.state;
  sandbox.s3.createBucket('crowded');
  const { id } = db.prepare('SELECT id FROM s3_bucket WHERE name = ?').get('crowded') ?? {};
  sandbox.state.transaction(() => {
    const insert = db.prepare(
      `INSERT INTO s3_object (id, bucket, key, version, latest, marker, size, etag, modified, storage, headers, tags, sealed)
       VALUES (?, ?, ?, 'null', 1, 0, 1, 'e', 0, 'STANDARD', '{}', '[]', '{"mode":"sse-s3","dataKey":""}')`,
    );
    for (let n = 0; n < 100_000; n += 1) insert.run(1_000_000 + n, id ?? 0, `f${n % 10}/${String(n).padStart(6, '0')}`);
  });
  const timed = async (query: Query) => {
    const start = performance.now();
    const page = await sandbox.client.send(new ListObjectsV2Command({ Bucket: 'crowded', ...query }));
    return { page, milliseconds: performance.now() - start };
  };
  let everything = 0;
  let ContinuationToken: string | undefined;
  do {
    const { page, milliseconds } = await timed({ ContinuationToken });
    everything += milliseconds;
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  const folders = await timed({ Delimiter: '/' });
  expect(folders.page.CommonPrefixes).toHaveLength(10);
  const last = await timed({ StartAfter: 'f9/09', MaxKeys: 10 });
  expect(last.page.Contents).toHaveLength(10);
  // A scan would cost about as much as reading all hundred pages; a seek costs less than one.
  for (const { milliseconds } of [folders, last]) expect(milliseconds).toBeLessThan(everything / 5);
});
