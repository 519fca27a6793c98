import { readdirSync } from 'node:fs';
import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const HOSTILE = [
  '/',
  '//',
  '/leading',
  'trailing/',
  'a//b',
  'a/../b',
  'a/..',
  'a/b/../../c',
  '...',
  './a',
  'a b+c',
  'literal%2Fslash',
  '100%',
  '%',
  'q?x=1&y=2#z',
  'quotes\'"<>&',
  'back\\slash',
  'tab\tnewline\n',
  'nul\u0000inside',
  'é',
  'e\u0301',
  '日本語/キー',
  '😀/🔐',
  '~!*()',
  'x'.repeat(1024),
  '😀'.repeat(256),
];

test.each(HOSTILE)('keeps the key %j as it is: put, get, list, copy, delete', async (Key) => {
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const { Body } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe(Key);

  const listed = await sandbox.client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, EncodingType: 'url' }));
  const names = listed.Contents?.map((entry) => decodeURIComponent((entry.Key ?? '').replaceAll('+', ' ')));
  expect(names).toContain(Key);

  await sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'the copy', CopySource: `${Bucket}/${encodeURIComponent(Key)}` }));
  const copy = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'the copy' }));
  expect(await copy.Body?.transformToString()).toBe(Key);

  await sandbox.client.send(new DeleteObjectCommand({ Bucket, Key }));
  expect((await refusal(sandbox.client.send(new GetObjectCommand({ Bucket, Key })))).answer).toBe('404 NoSuchKey');
});

test.each(['..', '../../etc/passwd', 'a/../..', 'a/../../b/c'])('refuses %j, which climbs out of its bucket', async (Key) => {
  const refused = '400 InvalidURI';
  expect((await refusal(sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })))).answer).toBe(refused);
  expect((await refusal(sandbox.client.send(new GetObjectCommand({ Bucket, Key })))).answer).toBe(refused);
});

test('takes no two keys for one', async () => {
  const Keys = ['n/a', 'n//a', 'n/./a', 'n%2Fa', 'n/A', 'n/é', 'n/e\u0301'];
  for (const Key of Keys) await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: `<${Key}>` }));
  for (const Key of Keys) {
    const { Body } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(`<${Key}>`);
  }
});

test('takes 1024 bytes of UTF-8, not 1025', async () => {
  const put = (Key: string) => sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  await put(`${'é'.repeat(511)}ab`);
  const { answer, detail } = await refusal(put(`${'é'.repeat(512)}a`));
  expect([answer, detail.Size, detail.MaxSizeAllowed]).toEqual(['400 KeyTooLongError', '1025', '1024']);
});

test('answers 400 for a path that is not UTF-8', async () => {
  const response = await fetch(`${sandbox.url}/${Bucket}/%ff`);
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('<Code>InvalidURI</Code>')]);
});

test('names files by nothing that a client said', () => {
  const names = readdirSync(`${sandbox.dir}/objects`, { recursive: true }).map(String);
  expect(names.every((name) => /^[0-9a-f]{2}(\/[0-9a-f]{32})?$/.test(name))).toBe(true);
});
