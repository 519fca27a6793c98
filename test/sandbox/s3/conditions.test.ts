import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, sample } from './sandbox.ts';

let sandbox: Sandbox;
let etag = '';
const Key = 'conditional';
const PAST = 'Tue, 01 Jan 2019 00:00:00 GMT';
const SOON = new Date(Date.now() + 60_000).toUTCString();
beforeAll(async () => {
  sandbox = await openSandbox();
  etag = (await sandbox.client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))).ETag ?? '';
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const get = async (headers: Record<string, string>, key = Key) => {
  const { Body, ...rest } = await sandbox.adding(headers).send(new GetObjectCommand({ Bucket, Key: key }));
  return { text: await Body?.transformToString(), ...rest };
};
const status = async (headers: Record<string, string>) => {
  const answer = await get(headers).then(
    ({ $metadata }) => $metadata.httpStatusCode,
    (error) => error.$metadata.httpStatusCode,
  );
  const head = await sandbox
    .adding(headers)
    .send(new HeadObjectCommand({ Bucket, Key }))
    .then(
      ({ $metadata }) => $metadata.httpStatusCode,
      (error) => error.$metadata.httpStatusCode,
    );
  expect(head).toBe(answer);
  return answer;
};

describe('reading conditionally, GET and HEAD alike', () => {
  test.each([
    ['a matching If-Match', () => ({ 'if-match': etag }), 200],
    ['an If-Match list', () => ({ 'if-match': `"0", ${etag}` }), 200],
    ['another If-Match', () => ({ 'if-match': '"0"' }), 412],
    ['a matching If-None-Match', () => ({ 'if-none-match': etag }), 304],
    ['another If-None-Match', () => ({ 'if-none-match': '"0"' }), 200],
    ['If-Modified-Since in the past', () => ({ 'if-modified-since': PAST }), 200],
    ['If-Modified-Since in the future, which is ignored', () => ({ 'if-modified-since': SOON }), 200],
    ['If-Unmodified-Since in the past', () => ({ 'if-unmodified-since': PAST }), 412],
    ['If-Unmodified-Since in the future', () => ({ 'if-unmodified-since': SOON }), 200],
    ['If-Match that holds over If-Unmodified-Since that does not', () => ({ 'if-match': etag, 'if-unmodified-since': PAST }), 200],
    ['If-None-Match that fails over If-Modified-Since that holds', () => ({ 'if-none-match': etag, 'if-modified-since': PAST }), 304],
  ])('%s', async (_, headers, expected) => {
    expect(await status(headers())).toBe(expected);
  });

  test('a failed condition is named', async () => {
    const { answer, detail } = await refusal(get({ 'if-match': '"0"' }));
    expect([answer, detail.Condition]).toEqual(['412 PreconditionFailed', 'If-Match']);
  });
});

describe('ranges', () => {
  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=3-5', '345', 'bytes 3-5/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-100', '789', 'bytes 7-9/10'],
    ['bytes=-4', '6789', 'bytes 6-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ['bytes=9-9', '9', 'bytes 9-9/10'],
  ])('%s', async (range, text, contentRange) => {
    const got = await get({ range });
    expect([got.$metadata.httpStatusCode, got.text, got.ContentRange, got.ContentLength]).toEqual([206, text, contentRange, text.length]);
    expect([got.ChecksumCRC32, got.ETag]).toEqual([undefined, etag]);
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s is outside', async (range) => {
    const { answer, detail } = await refusal(get({ range }));
    expect([answer, detail.ActualObjectSize, detail.RangeRequested]).toEqual(['416 InvalidRange', '10', range]);
  });

  test.each(['bytes=5-3', 'bytes=a-b', 'bytes=0-1,3-4', 'chars=0-1', 'bytes=-'])('%s is ignored', async (range) => {
    const got = await get({ range });
    expect([got.$metadata.httpStatusCode, got.text]).toEqual([200, '0123456789']);
  });

  describe('with If-Range', () => {
    const range = 'bytes=3-5';
    const lastModified = async () => (await get({})).LastModified?.toUTCString() ?? '';

    test('are given while the object is the one that it names, by ETag or date', async () => {
      for (const ifRange of [etag, await lastModified()]) {
        const got = await get({ range, 'if-range': ifRange });
        expect([got.$metadata.httpStatusCode, got.text]).toEqual([206, '345']);
        expect(await status({ range, 'if-range': ifRange })).toBe(206);
      }
    });

    test.each([
      ['another ETag', () => '"0"'],
      ['its ETag as a weak one', () => `W/${etag}`],
      ['its ETag without quotes', () => etag.replaceAll('"', '')],
      ['an older date', () => PAST],
      ['a later date', () => SOON],
      ['anything', () => '*'],
    ])('and %s are the whole object', async (_, ifRange) => {
      const got = await get({ range, 'if-range': ifRange() });
      expect([got.$metadata.httpStatusCode, got.text, got.ContentRange]).toEqual([200, '0123456789', undefined]);
      expect(await status({ range, 'if-range': ifRange() })).toBe(200);
    });

    test('that fails are never outside', async () => {
      expect(await status({ range: 'bytes=10-', 'if-range': '"0"' })).toBe(200);
      expect(await status({ range: 'bytes=10-', 'if-range': etag })).toBe(416);
    });

    test('come after the other conditions, and without a range it says nothing', async () => {
      expect(await status({ range, 'if-range': '"0"', 'if-match': '"0"' })).toBe(412);
      expect(await status({ range, 'if-range': '"0"', 'if-none-match': etag })).toBe(304);
      expect(await status({ 'if-range': '"0"' })).toBe(200);
    });
  });

  // Around the cipher's blocks of 16 bytes and the 256 KiB that are read in one piece.
  const body = sample(1_000_000, 3);
  test.each([0, 1, 15, 16, 17, 31, 32, 33, 262_143, 262_144, 999_999])('starting at byte %i', async (start) => {
    await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'large', Body: body }));
    for (const length of [1, 16, 300_000]) {
      const end = Math.min(start + length, body.length);
      const { Body } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key: 'large', Range: `bytes=${start}-${end - 1}` }));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body.subarray(start, end))).toBe(true);
    }
  });
});

describe('writing conditionally', () => {
  const put = (key: string, condition: { IfMatch?: string; IfNoneMatch?: string }, Body = 'x') =>
    sandbox.client.send(new PutObjectCommand({ Bucket, Key: key, Body, ...condition }));

  test('If-None-Match: * writes what is not there, and only that', async () => {
    await put('once', { IfNoneMatch: '*' });
    const { answer, detail } = await refusal(put('once', { IfNoneMatch: '*' }, 'other'));
    expect([answer, detail.Condition]).toEqual(['412 PreconditionFailed', 'If-None-Match']);
    expect((await get({}, 'once')).text).toBe('x');
  });

  test('of many at once, one wins', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => put('race', { IfNoneMatch: '*' }, `${index}`)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('If-Match replaces that version, and only that', async () => {
    const { ETag = '' } = await put('matched', {}, 'one');
    await put('matched', { IfMatch: ETag }, 'two');
    expect((await refusal(put('matched', { IfMatch: ETag }, 'three'))).answer).toBe('412 PreconditionFailed');
    expect((await refusal(put('missing', { IfMatch: ETag }))).answer).toBe('404 NoSuchKey');
    expect((await get({}, 'matched')).text).toBe('two');
  });

  test('what S3 does not take is a 501', async () => {
    expect((await refusal(put('odd', { IfNoneMatch: '"0"' }))).answer).toBe('501 NotImplemented');
    expect((await refusal(put('odd', { IfMatch: '*' }))).answer).toBe('501 NotImplemented');
    expect((await refusal(put('odd', { IfMatch: '"0"', IfNoneMatch: '*' }))).answer).toBe('501 NotImplemented');
  });
});
