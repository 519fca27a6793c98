import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUCKET as Bucket, md5Hex, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const read = async (Key: string) => {
  const { Body, ...rest } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key }));
  return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), ...rest };
};

// The in-memory limit is 256 KiB: one byte below, at and above it, and several chunks of the stream.
test.each([0, 1, 262_143, 262_144, 262_145, 3_000_001])('gives back %i bytes as they were put, with their MD5 as ETag', async (length) => {
  const Body = sample(length);
  const put = await sandbox.client.send(new PutObjectCommand({ Bucket, Key: `size/${length}`, Body }));
  expect(put.ETag).toBe(`"${md5Hex(Body)}"`);
  const got = await read(`size/${length}`);
  expect(got.bytes.equals(Body)).toBe(true);
  expect(got.ContentLength).toBe(length);
  expect(got.ETag).toBe(put.ETag);
});

test('takes a stream of known length', async () => {
  const Body = sample(2_000_000, 7);
  const path = join(sandbox.dir, 'upload.bin');
  writeFileSync(path, Body);
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: createReadStream(path), ContentLength: Body.length }));
  expect((await read('stream')).bytes.equals(Body)).toBe(true);
});

test('replaces an object, and removes the file of the old one', async () => {
  const files = () => sandbox.state.db.prepare('SELECT count(*) AS n FROM s3_segment').get()?.n;
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'one' }));
  const before = files();
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'two' }));
  expect(files()).toBe(before);
  expect((await read('twice')).bytes.toString()).toBe('two');
});

test('keeps system headers, user metadata, tags and storage class; S3 reads metadata as ISO 8859-1', async () => {
  const described = {
    CacheControl: 'max-age=60',
    ContentDisposition: 'attachment; filename="a.txt"',
    ContentEncoding: 'gzip',
    ContentLanguage: 'fi',
    ContentType: 'text/plain; charset=utf-8',
    StorageClass: 'STANDARD_IA',
    WebsiteRedirectLocation: '/elsewhere',
    Metadata: { colour: 'blue', 'mixed-case': 'Ää' },
  } as const;
  const Expires = new Date('2030-01-01T00:00:00Z');
  await sandbox.client.send(
    new PutObjectCommand({ Bucket, Key: 'described', Body: 'x', Tagging: 'a=1&b=two%20words', Expires, ...described }),
  );
  const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'described' }));
  expect(head).toMatchObject({ ...described, TagCount: 2, Metadata: { colour: 'blue', 'mixed-case': '=?UTF-8?B?w4PChMODwqQ=?=' } });
  expect(head.ExpiresString).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
});

test('names binary/octet-stream when the client names no type, and no storage class for STANDARD', async () => {
  await sandbox.adding({ 'content-type': '' }).send(new PutObjectCommand({ Bucket, Key: 'plain', Body: 'x' }));
  const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'plain' }));
  expect([head.ContentType, head.StorageClass, head.TagCount, head.VersionId]).toEqual([
    'binary/octet-stream',
    undefined,
    undefined,
    undefined,
  ]);
});

test('reads metadata that is encoded as RFC 2047 has it, and gives back one word of UTF-8 or plain ASCII', async () => {
  const words = {
    base64: '=?UTF-8?B?4oKsIMOk?=',
    quoted: '=?utf-8?q?=E2=82=AC_=C3=A4?=',
    split: '=?UTF-8?B?4oKs?= =?ISO-8859-1?Q?_=E4?=',
    ascii: '=?UTF-8?B?cGxhaW4=?=',
    unknown: '=?no-such-charset?B?4oKs?=',
    broken: '=?UTF-8?B?/w==?=',
    mixed: 'a =?UTF-8?Q?=C3=A4?= b',
  };
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'words', Body: 'x', Metadata: words }));
  const first = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'words' }));
  const word = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
  const { unknown, broken } = words;
  const euro = word('€ ä');
  expect(first.Metadata).toEqual({ base64: euro, quoted: euro, split: euro, ascii: 'plain', unknown, broken, mixed: word('a ä b') });
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'again', Body: 'x', Metadata: first.Metadata }));
  expect((await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'again' }))).Metadata).toEqual(first.Metadata);
});

test('measures user metadata as it is meant, not as it is encoded', async () => {
  const put = (text: string) =>
    sandbox.client.send(
      new PutObjectCommand({ Bucket, Key: 'meta', Body: 'x', Metadata: { k: `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=` } }),
    );
  await put(`v${'ä'.repeat(1023)}`);
  expect((await refusal(put('ä'.repeat(1024)))).answer).toBe('400 MetadataTooLarge');
});

test('keeps an Expires that is no date', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'expires', Body: 'x' });
  await sandbox.adding({ expires: 'when the rain stops' }).send(put);
  const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'expires' }));
  expect([head.ExpiresString, head.Expires]).toEqual(['when the rain stops', undefined]);
});

test('refuses user metadata above 2 KB, and takes exactly 2 KB', async () => {
  const put = (length: number) =>
    sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'meta', Body: 'x', Metadata: { k: 'v'.repeat(length) } }));
  await put(2047);
  expect((await refusal(put(2048))).answer).toBe('400 MetadataTooLarge');
});

test('replaces answer headers when a GET asks for it', async () => {
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'overridden', Body: 'x', ContentType: 'text/plain' }));
  const got = await sandbox.client.send(
    new GetObjectCommand({ Bucket, Key: 'overridden', ResponseContentType: 'text/html', ResponseCacheControl: 'no-store' }),
  );
  await got.Body?.transformToByteArray();
  expect([got.ContentType, got.CacheControl]).toEqual(['text/html', 'no-store']);
});

test('deletes without asking whether there was anything', async () => {
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
  for (let turn = 0; turn < 2; turn += 1) {
    const { $metadata } = await sandbox.client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    expect($metadata.httpStatusCode).toBe(204);
  }
  expect((await refusal(sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'gone' })))).answer).toBe('404 NoSuchKey');
  expect((await refusal(sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'gone' })))).answer).toBe('404 NotFound');
});

test('deletes many objects at once, quietly when asked', async () => {
  for (const Key of ['m/1', 'm/2', 'm/3']) await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  const loud = await sandbox.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'm/1' }, { Key: 'm/none' }] } }));
  expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(['m/1', 'm/none']);
  const quiet = await sandbox.client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: [{ Key: 'm/2' }, { Key: 'm/3' }] } }),
  );
  expect([quiet.Deleted, quiet.Errors]).toEqual([undefined, undefined]);
  expect((await refusal(read('m/3'))).answer).toBe('404 NoSuchKey');
});

test('deletes conditionally', async () => {
  const { ETag } = await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'guarded', Body: 'x' }));
  const remove = (IfMatch: string | undefined) =>
    sandbox.adding({ 'if-match': IfMatch ?? '' }).send(new DeleteObjectCommand({ Bucket, Key: 'guarded' }));
  expect((await refusal(remove('"0"'))).answer).toBe('412 PreconditionFailed');
  await remove(ETag);
  expect((await refusal(read('guarded'))).answer).toBe('404 NoSuchKey');
});

test('changes tags without touching the object', async () => {
  const Key = 'tagged';
  const { ETag } = await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=1' }));
  const TagSet = [{ Key: 'team', Value: 'ops and co' }];
  await sandbox.client.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
  expect((await sandbox.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual(TagSet);
  expect((await read(Key)).ETag).toBe(ETag);
  await sandbox.client.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
  expect((await sandbox.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
});

test('takes ten tags and refuses eleven', async () => {
  const tags = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join('&');
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'ten', Body: 'x', Tagging: tags(10) }));
  const { answer, message } = await refusal(
    sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'eleven', Body: 'x', Tagging: tags(11) })),
  );
  expect([answer, message]).toEqual(['400 BadRequest', 'Object tags cannot be greater than 10']);
});

test('describes an object by its attributes', async () => {
  const { ETag } = await sandbox.client.send(
    new PutObjectCommand({ Bucket, Key: 'attributes', Body: 'hello', ChecksumAlgorithm: 'SHA256' }),
  );
  const attributes = await sandbox.client.send(
    new GetObjectAttributesCommand({
      Bucket,
      Key: 'attributes',
      ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize', 'StorageClass', 'ObjectParts'],
    }),
  );
  expect(attributes).toMatchObject({
    ETag: ETag?.replaceAll('"', ''),
    ObjectSize: 5,
    StorageClass: 'STANDARD',
    Checksum: { ChecksumSHA256: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=', ChecksumType: 'FULL_OBJECT' },
  });
  expect(attributes.ObjectParts).toBeUndefined();
});
