import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, md5Hex, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';

const MAX_COPY_BYTES = 1_000_000;
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { maxCopyBytes: MAX_COPY_BYTES } });
});
beforeEach(async () => {
  await sandbox.client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'source',
      Body: 'body',
      ContentType: 'text/plain',
      CacheControl: 'no-cache',
      Metadata: { colour: 'blue' },
      Tagging: 'a=1',
      StorageClass: 'STANDARD_IA',
      WebsiteRedirectLocation: '/x',
      ChecksumAlgorithm: 'SHA256',
    }),
  );
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const copy = (extra: Partial<CopyObjectCommandInput> = {}) =>
  sandbox.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source`, ...extra }));
const head = (Key = 'copy') => sandbox.client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
const tagsOf = async (Key = 'copy') => (await sandbox.client.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet;

test('carries metadata, tags and checksum algorithm, and resets storage class and redirect', async () => {
  const { CopyObjectResult } = await copy();
  const copied = await head();
  expect(copied).toMatchObject({ ContentType: 'text/plain', CacheControl: 'no-cache', Metadata: { colour: 'blue' }, TagCount: 1 });
  expect([copied.StorageClass, copied.WebsiteRedirectLocation]).toEqual([undefined, undefined]);
  expect(copied.ChecksumSHA256).toBe((await head('source')).ChecksumSHA256);
  expect(CopyObjectResult).toMatchObject({
    ETag: `"${md5Hex('body')}"`,
    ChecksumSHA256: copied.ChecksumSHA256,
    ChecksumType: 'FULL_OBJECT',
  });
  expect(await tagsOf()).toEqual([{ Key: 'a', Value: '1' }]);
});

test('REPLACE takes metadata and tags from the request alone', async () => {
  await copy({ MetadataDirective: 'REPLACE', Metadata: { n: '1' }, TaggingDirective: 'REPLACE', Tagging: 'b=2', ContentType: 'text/html' });
  const copied = await head();
  expect([copied.ContentType, copied.CacheControl, copied.Metadata]).toEqual(['text/html', undefined, { n: '1' }]);
  expect(await tagsOf()).toEqual([{ Key: 'b', Value: '2' }]);
});

test('takes another checksum algorithm, storage class, and either annotation directive', async () => {
  await copy({ ChecksumAlgorithm: 'CRC32C', StorageClass: 'GLACIER_IR', AnnotationDirective: 'EXCLUDE' });
  const copied = await head();
  expect([copied.StorageClass, copied.ChecksumSHA256]).toEqual(['GLACIER_IR', undefined]);
  expect(copied.ChecksumCRC32C).toMatch(/^[\w+/]{6}==$/);
});

test.each([
  ['with a slash before it', `/${Bucket}/source`],
  ['with the slash encoded', `${Bucket}%2Fsource`],
  ['with letters encoded', `${Bucket}/%73ource`],
])('takes a source %s', async (_, CopySource) => {
  expect((await copy({ CopySource })).CopyObjectResult?.ETag).toBe(`"${md5Hex('body')}"`);
});

test.each([
  ['nothing after the bucket', Bucket, '400 InvalidArgument'],
  ['a source that is not there', `${Bucket}/none`, '404 NoSuchKey'],
  ['a bucket that is not there', 'nowhere/source', '404 NoSuchBucket'],
  ['a broken encoding', `${Bucket}/%zz`, '400 InvalidArgument'],
])('refuses %s', async (_, CopySource, answer) => {
  expect((await refusal(copy({ CopySource }))).answer).toBe(answer);
});

describe('onto itself', () => {
  const onto = (extra: Partial<CopyObjectCommandInput> = {}) => copy({ Key: 'source', ...extra });

  test('without a change is refused', async () => {
    const { answer, message } = await refusal(onto());
    expect(answer).toBe('400 InvalidRequest');
    expect(message).toMatch(/^This copy request is illegal because it is trying to copy an object to itself without changing/);
    expect((await refusal(onto({ ChecksumAlgorithm: 'CRC32' }))).answer).toBe('400 InvalidRequest');
  });

  test('is allowed in a bucket whose default encryption was configured', async () => {
    sandbox.s3.createBucket('configured');
    sandbox.s3.putBucketEncryption('configured', { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] });
    await sandbox.client.send(new PutObjectCommand({ Bucket: 'configured', Key: 'source', Body: 'body' }));
    const copied = await onto({ Bucket: 'configured', CopySource: 'configured/source' });
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5Hex('body')}"`);
  });

  test.each<[string, Partial<CopyObjectCommandInput>]>([
    ['metadata', { MetadataDirective: 'REPLACE', Metadata: { n: '2' } }],
    ['storage class', { StorageClass: 'STANDARD' }],
    ['redirect', { WebsiteRedirectLocation: '/y' }],
    ['encryption', { ServerSideEncryption: 'aws:kms' }],
  ])('changes the %s', async (_, extra) => {
    await onto(extra);
    const { Body } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'source' }));
    expect(await Body?.transformToString()).toBe('body');
  });
});

describe('conditions', () => {
  const etag = `"${md5Hex('body')}"`;
  const past = new Date('2019-01-01T00:00:00Z');
  const soon = new Date(Date.now() + 60_000);

  test.each<[string, Partial<CopyObjectCommandInput>]>([
    ['If-Match of the source', { CopySourceIfMatch: etag }],
    ['If-None-Match of another', { CopySourceIfNoneMatch: '"0"' }],
    ['If-Modified-Since long ago', { CopySourceIfModifiedSince: past }],
    ['If-Match over If-Unmodified-Since', { CopySourceIfMatch: etag, CopySourceIfUnmodifiedSince: past }],
    ['If-Unmodified-Since later', { CopySourceIfUnmodifiedSince: soon }],
  ])('%s holds', async (_, condition) => {
    expect((await copy(condition)).$metadata.httpStatusCode).toBe(200);
  });

  test.each<[string, Partial<CopyObjectCommandInput>, string]>([
    ['If-Match', { CopySourceIfMatch: '"0"' }, 'x-amz-copy-source-If-Match'],
    ['If-None-Match', { CopySourceIfNoneMatch: etag }, 'x-amz-copy-source-If-None-Match'],
    ['If-Unmodified-Since', { CopySourceIfUnmodifiedSince: past }, 'x-amz-copy-source-If-Unmodified-Since'],
  ])('%s fails with 412', async (_, condition, name) => {
    const { answer, detail } = await refusal(copy(condition));
    expect([answer, detail.Condition]).toEqual(['412 PreconditionFailed', name]);
  });

  test('of the destination: If-None-Match and If-Match', async () => {
    const { CopyObjectResult } = await copy({ Key: 'guarded', IfNoneMatch: '*' });
    expect((await refusal(copy({ Key: 'guarded', IfNoneMatch: '*' }))).answer).toBe('412 PreconditionFailed');
    await copy({ Key: 'guarded', IfMatch: CopyObjectResult?.ETag });
    expect((await refusal(copy({ Key: 'guarded', IfMatch: '"0"' }))).answer).toBe('412 PreconditionFailed');
  });
});

test.each([MAX_COPY_BYTES - 1, MAX_COPY_BYTES, MAX_COPY_BYTES + 1])('a source of %i bytes, of at most 1,000,000', async (length) => {
  const Body = sample(length, 5);
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'large', Body }));
  const call = copy({ CopySource: `${Bucket}/large`, ServerSideEncryption: 'aws:kms' });
  if (length > MAX_COPY_BYTES) {
    const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY_BYTES}`;
    return expect(await refusal(call)).toMatchObject({ answer: '400 InvalidRequest', message });
  }
  await call;
  const { Body: copied } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
  return expect(Buffer.from((await copied?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
});

test('a source whose stored bytes were changed is not copied as if it were whole', async () => {
  await using other = await openSandbox({ limits: { rowBytes: 0 } });
  await other.client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'body' }));
  const { blob } = other.state.db.prepare('SELECT blob FROM s3_segment').get() ?? {};
  writeFileSync(join(other.dir, 'objects', String(blob).slice(0, 2), String(blob)), 'BODY');
  const call = other.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source` }));
  expect((await refusal(call)).answer).toBe('500 InternalError');
  expect(other.defects).toHaveLength(1);
  expect((await refusal(other.client.send(new HeadObjectCommand({ Bucket, Key: 'copy' })))).answer).toBe('404 NotFound');
});
