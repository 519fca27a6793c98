import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, VERSIONED as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
let Key = '';
let turn = 0;
beforeAll(async () => {
  sandbox = await openSandbox();
});
beforeEach(async () => {
  turn += 1;
  Key = `key-${turn}`;
  await version('Enabled');
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const version = (Status: 'Enabled' | 'Suspended') =>
  sandbox.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = async (Body: string) => (await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
const get = async (VersionId?: string) => {
  const { Body, VersionId: got } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key, ...(VersionId ? { VersionId } : {}) }));
  return { text: await Body?.transformToString(), version: got };
};
const remove = (VersionId?: string) => sandbox.client.send(new DeleteObjectCommand({ Bucket, Key, ...(VersionId ? { VersionId } : {}) }));
const listed = async () => {
  const { Versions = [], DeleteMarkers = [] } = await sandbox.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  return {
    versions: Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
    markers: DeleteMarkers.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
  };
};

describe('enabled', () => {
  test('keeps every version under its own id', async () => {
    const [one, two] = [await put('one'), await put('two')];
    expect(one).toMatch(/^[\w.]{32}$/);
    expect(await get()).toEqual({ text: 'two', version: two });
    expect(await get(one)).toEqual({ text: 'one', version: one });
    expect((await listed()).versions).toEqual([
      [two, true],
      [one, false],
    ]);
  });

  test('a delete hides the object behind a marker, and deleting the marker brings it back', async () => {
    const one = await put('one');
    const { DeleteMarker, VersionId: marker } = await remove();
    expect(DeleteMarker).toBe(true);
    expect((await refusal(get())).answer).toBe('404 NoSuchKey');
    expect((await refusal(get(marker))).answer).toBe('405 MethodNotAllowed');
    expect((await refusal(sandbox.client.send(new HeadObjectCommand({ Bucket, Key, VersionId: marker })))).answer).toMatch(/^405 /);
    expect(await listed()).toEqual({ versions: [[one, false]], markers: [[marker, true]] });
    expect((await sandbox.client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))).KeyCount).toBe(0);
    expect(await remove(marker)).toMatchObject({ DeleteMarker: true, VersionId: marker });
    expect((await get()).text).toBe('one');
  });

  test('deleting the current version makes the one before it current', async () => {
    const [one, two] = [await put('one'), await put('two')];
    await remove(two);
    expect((await listed()).versions).toEqual([[one, true]]);
    expect((await sandbox.client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))).KeyCount).toBe(1);
    expect(await get()).toEqual({ text: 'one', version: one });
    expect((await refusal(get(two))).answer).toBe('404 NoSuchVersion');
    await remove(one);
    expect(await listed()).toEqual({ versions: [], markers: [] });
  });

  test('a copy of an older version brings it back, and says which it was', async () => {
    const one = await put('one');
    await put('two');
    const CopySource = `${Bucket}/${Key}?versionId=${one}`;
    const copied = await sandbox.client.send(new CopyObjectCommand({ Bucket, Key, CopySource }));
    expect(copied.CopySourceVersionId).toBe(one);
    expect(await get()).toEqual({ text: 'one', version: copied.VersionId });
  });

  test('a copy cannot name a delete marker', async () => {
    await put('one');
    const { VersionId } = await remove();
    const copy = (CopySource: string) => sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(await refusal(copy(`${Bucket}/${Key}?versionId=${VersionId}`))).toMatchObject({
      answer: '400 InvalidRequest',
      message: 'The source of a copy request may not specifically refer to a delete marker by version id.',
    });
    expect((await refusal(copy(`${Bucket}/${Key}`))).answer).toBe('404 NoSuchKey');
  });

  test('DeleteObjects puts markers, removes versions, and names what it did not find', async () => {
    const one = await put('one');
    const send = (VersionId?: string) =>
      sandbox.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key, ...(VersionId ? { VersionId } : {}) }] } }));
    const { Deleted: [marked] = [] } = await send();
    expect(marked).toMatchObject({ Key, DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) });
    expect((await send(marked?.DeleteMarkerVersionId)).Deleted).toEqual([
      { Key, VersionId: marked?.DeleteMarkerVersionId, DeleteMarker: true, DeleteMarkerVersionId: marked?.DeleteMarkerVersionId },
    ]);
    expect((await send(one)).Deleted).toEqual([{ Key, VersionId: one }]);
    expect((await send(one)).Errors).toMatchObject([{ Code: 'NoSuchVersion', Key, VersionId: one }]);
  });

  test('pages of one tile the versions of all keys', async () => {
    const prefix = Key;
    for (const name of ['a', 'a', 'b']) {
      Key = `${prefix}/${name}`;
      await put(name);
    }
    Key = `${prefix}/a`;
    await remove();
    const found: string[] = [];
    let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let truncated = true; truncated; ) {
      const page = await sandbox.client.send(new ListObjectVersionsCommand({ Bucket, Prefix: `${prefix}/`, MaxKeys: 1, ...marker }));
      found.push(...(page.Versions ?? []).map((entry) => `${entry.Key?.at(-1)} ${entry.IsLatest}`));
      found.push(...(page.DeleteMarkers ?? []).map((entry) => `${entry.Key?.at(-1)} marker`));
      marker = { KeyMarker: page.NextKeyMarker ?? '', VersionIdMarker: page.NextVersionIdMarker ?? '' };
      truncated = page.IsTruncated ?? false;
    }
    expect(found).toEqual(['a marker', 'a false', 'a false', 'b true']);
  });
});

describe('suspended', () => {
  test('writes the null version, again and again, and leaves the others', async () => {
    const one = await put('one');
    await version('Suspended');
    expect(await put('null one')).toBeUndefined();
    expect(await put('null two')).toBeUndefined();
    expect((await listed()).versions).toEqual([
      ['null', true],
      [one, false],
    ]);
    expect(await get('null')).toEqual({ text: 'null two', version: 'null' });
    await version('Enabled');
    const two = await put('two');
    expect((await listed()).versions).toEqual([
      [two, true],
      ['null', false],
      [one, false],
    ]);
    await version('Suspended');
    await put('null three');
    expect((await listed()).versions).toEqual([
      ['null', true],
      [two, false],
      [one, false],
    ]);
  });

  test('a delete replaces the null version by a null marker', async () => {
    const one = await put('one');
    await version('Suspended');
    await put('null one');
    expect(await remove()).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    expect(await listed()).toEqual({ versions: [[one, false]], markers: [['null', true]] });
    await remove('null');
    expect((await get()).text).toBe('one');
  });
});

test('a bucket that never had versioning knows only null', async () => {
  const { VersionId } = await sandbox.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  const read = (id: string) => sandbox.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, VersionId: id }));
  const got = await read('null');
  expect([VersionId, got.VersionId, await got.Body?.transformToString()]).toEqual([undefined, undefined, 'x']);
  expect(await refusal(read('HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD'))).toMatchObject({
    answer: '400 InvalidArgument',
    message: 'Invalid version id specified',
  });
});

test('Object Lock’s default retention keeps versions from deletion, and says so', async () => {
  sandbox.s3.createBucket('locked', { objectLock: true });
  sandbox.s3.putObjectLock('locked', { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } });
  const { VersionId } = await sandbox.client.send(new PutObjectCommand({ Bucket: 'locked', Key, Body: 'x' }));
  const head = await sandbox.client.send(new HeadObjectCommand({ Bucket: 'locked', Key }));
  expect(head.ObjectLockMode).toBe('COMPLIANCE');
  expect((head.ObjectLockRetainUntilDate?.getTime() ?? 0) / 3_600_000).toBeCloseTo(Date.now() / 3_600_000 + 24, 1);
  const deletion = await refusal(sandbox.client.send(new DeleteObjectCommand({ Bucket: 'locked', Key, VersionId })));
  expect([deletion.answer, deletion.message]).toEqual(['403 AccessDenied', 'Access Denied because object protected by object lock.']);
  expect((await sandbox.client.send(new DeleteObjectCommand({ Bucket: 'locked', Key }))).DeleteMarker).toBe(true);
});
