/** Ranges, conditions and redirects, through the handler. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/download.ts';
import { apiEvent, invokeStreaming, REQUEST_ID } from '../fixtures/api.ts';
import { tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { ETAG, TARGET_BUCKET } from '../fixtures/objects.ts';
import { BYTES, type OpenWorld, openWorld } from '../fixtures/open-world.ts';

const PATH = { key: 'reports/summary.txt' };
const THEN = 'Fri, 20 Nov 2026 09:30:16 GMT';
const BEFORE = 'Fri, 20 Nov 2026 09:30:15 GMT';
const SIZE = BYTES.length;

type Headers = Record<string, string>;

const get = (world: OpenWorld, headers: Headers = {}, query: Record<string, string[]> = {}, method = 'GET') =>
  invokeStreaming(
    createHandler(() => world.deps),
    apiEvent({ method, path: PATH, query, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }),
  );
const problem = (answer: { body: Buffer }) => JSON.parse(answer.body.toString());

describe('a range', () => {
  it.each([
    ['bytes=0-5', 0, 5],
    ['bytes=7-12', 7, 12],
    ['bytes=7-', 7, SIZE - 1],
    ['bytes=-5', SIZE - 5, SIZE - 1],
    ['bytes=-500', 0, SIZE - 1],
    ['bytes=0-500', 0, SIZE - 1],
    [`bytes=${SIZE - 1}-${SIZE - 1}`, SIZE - 1, SIZE - 1],
  ])('%s gives these bytes and says which', async (range, first, last) => {
    const world = openWorld();
    const answer = await get(world, { range });
    expect(answer.statusCode).toBe(206);
    expect(answer.body.equals(BYTES.subarray(first, last + 1))).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${first}-${last}/${SIZE}`,
      'content-length': String(last - first + 1),
      'x-sealdrop-length': String(last - first + 1),
      'accept-ranges': 'bytes',
      etag: `"${ETAG}"`,
    });
    expect(world.s3.calls()).toHaveLength(1);
  });

  it.each(['bytes=0-1,4-5', 'bytes=5-2', 'lines=1-2', 'bytes=abc'])('%s gives the whole', async (range) => {
    const answer = await get(openWorld(), { range });
    expect([answer.statusCode, answer.body.equals(BYTES), answer.headers['content-range']]).toEqual([200, true, undefined]);
  });

  it.each([`bytes=${SIZE}-`, 'bytes=99999999999999999999-', 'bytes=-0'])('%s is behind the end, and the length is told', async (range) => {
    const world = openWorld();
    const answer = await get(world, { range });
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([416, `bytes */${SIZE}`]);
    expect(problem(answer)).toMatchObject({ code: 'range-not-satisfiable', status: 416, instance: `urn:request:${REQUEST_ID}` });
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'ObjectDownloaded', outcome: 'failure', code: 'range-not-satisfiable' }),
    ]);
  });

  it('behind the end does not hide a condition that decides before it', async () => {
    expect((await get(openWorld(), { range: 'bytes=500-', 'if-none-match': `"${ETAG}"` })).statusCode).toBe(304);
    expect((await get(openWorld(), { range: 'bytes=500-', 'if-match': '"other"' })).statusCode).toBe(412);
    const whole = await get(openWorld(), { range: 'bytes=500-', 'if-range': '"other"' });
    expect([whole.statusCode, whole.body.equals(BYTES)]).toEqual([200, true]);
  });

  it.each([
    [`"${ETAG}"`, 206],
    [THEN, 200],
    ['"other"', 200],
    [`W/"${ETAG}"`, 200],
    [BEFORE, 200],
  ])('with If-Range: %s is answered with %d', async (ifRange, status) => {
    const world = openWorld();
    const answer = await get(world, { range: 'bytes=0-5', 'if-range': ifRange });
    expect([answer.statusCode, answer.body.length]).toEqual([status, status === 206 ? 6 : SIZE]);
    expect(auditEvents(world)).toHaveLength(1);
  });

  it('of a HEAD is not known', async () => {
    const answer = await get(openWorld(), { range: 'bytes=0-5' }, {}, 'HEAD');
    expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, String(SIZE)]);
  });

  it('gives no byte when it cannot be recorded', async () => {
    const world = openWorld();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await get(world, { range: 'bytes=0-5' });
    expect([answer.statusCode, problem(answer).code]).toEqual([503, 'audit-unavailable']);
    expect(world.bodies.map((body) => [body.destroyed, body.readableDidRead])).toEqual([[true, false]]);
  });
});

describe('a condition', () => {
  const CASES: [Headers, number][] = [
    [{ 'if-match': `"${ETAG}"` }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-unmodified-since': THEN }, 200],
    [{ 'if-unmodified-since': BEFORE }, 412],
    [{ 'if-none-match': `"other", W/"${ETAG}"` }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-modified-since': THEN }, 304],
    [{ 'if-modified-since': BEFORE }, 200],
  ];
  for (const method of ['GET', 'HEAD']) {
    it.each(CASES)(`of a ${method}, %j, is answered with %d`, async (headers, status) => {
      const world = openWorld();
      const answer = await get(world, headers, {}, method);
      expect(answer.statusCode).toBe(status);
      expect(answer.body.includes(BYTES)).toBe(status === 200 && method === 'GET');
      expect(auditEvents(world)).toHaveLength(1);
    });
  }

  it('that says not modified tells what a cache needs, and is recorded as an inspection', async () => {
    const world = openWorld();
    const answer = await get(world, { 'if-none-match': `"${ETAG}"` });
    expect(answer.headers).toEqual({ etag: `"${ETAG}"`, 'last-modified': THEN, 'cache-control': 'private, no-cache' });
    expect(answer.body).toHaveLength(0);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'ObjectInspected', outcome: 'success' })]);
    expect(world.bodies[0]?.readableFlowing).toBe(true);
  });

  it('that fails is a problem with a code, and recorded', async () => {
    const world = openWorld();
    expect(problem(await get(world, { 'if-match': '"other"' }))).toMatchObject({ code: 'precondition-failed', status: 412 });
    expect(auditEvents(world)).toEqual([expect.objectContaining({ outcome: 'failure', code: 'precondition-failed' })]);
  });
});

describe('more than one answer carries', () => {
  const LIMITS = { maxStreamedBytes: 10, redirectAboveBytes: 5 };
  const large = (policySays = {}) => {
    const world = openWorld({ policySays: { default: { encryption: { mode: 'sse-kms' } }, ...policySays } });
    world.deps.limits = LIMITS;
    return world;
  };

  it('is had from S3 by a URL for this version, which is recorded with its end', async () => {
    const world = large();
    const answer = await get(world);
    expect(answer.statusCode).toBe(307);
    expect(answer.headers).toEqual({
      location: 'https://s3.example/reports/summary.txt?versionId=target-version-1',
      'cache-control': 'no-store',
      'content-length': '0',
      'x-sealdrop-encryption': 'sse-kms',
      'x-sealdrop-version-id': 'target-version-1',
    });
    expect(answer.body).toHaveLength(0);
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({
        action: 'DownloadAuthorised',
        outcome: 'success',
        bucket: TARGET_BUCKET,
        versionId: 'target-version-1',
        size: SIZE,
        expires: '2026-11-20T09:35:00.000Z',
      }),
    ]);
    expect(JSON.stringify(world.metrics)).not.toContain('BytesDownloaded');
  });

  it('is not given away when that cannot be recorded', async () => {
    const world = large();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await get(world);
    expect([answer.statusCode, answer.headers.location]).toEqual([503, undefined]);
  });

  it.each([
    ['the caller takes no redirect', {}, { redirect: ['never'] }],
    ['policy allows none', { downloads: [{ under: ['reports/'], redirect: false }] }, {}],
  ])('is refused with the next step where %s', async (_why, says, query) => {
    const world = large(says);
    const answer = await get(world, {}, query);
    expect(answer.statusCode).toBe(403);
    expect(problem(answer)).toMatchObject({ code: 'use-ranges', detail: expect.stringContaining('Range: bytes=FIRST-LAST') });
    expect(auditEvents(world)).toEqual([expect.objectContaining({ outcome: 'failure', code: 'use-ranges' })]);
    expect(world.bodies.every((body) => body.destroyed || body.readableFlowing)).toBe(true);
  });

  it('is served by ranges, each of what one answer carries', async () => {
    const world = large();
    const [first, second] = [
      await get(world, { range: 'bytes=0-9' }, { redirect: ['never'] }),
      await get(world, { range: 'bytes=10-' }, { redirect: ['never'] }),
    ];
    expect([first.statusCode, second.statusCode]).toEqual([206, 206]);
    expect(Buffer.concat([first.body, second.body]).equals(BYTES)).toBe(true);
    expect((await get(world, { range: 'bytes=0-10' }, { redirect: ['never'] })).statusCode).toBe(403);
  });

  it('does not change what a HEAD says', async () => {
    const answer = await get(large(), {}, {}, 'HEAD');
    expect([answer.statusCode, answer.headers['content-length'], answer.headers['x-sealdrop-length']]).toEqual([200, '19', '19']);
  });
});

describe('what a request may say besides', () => {
  it('?download saves it as a file of its own name, in an answer and by a URL of S3', async () => {
    const attached = 'attachment; filename="summary.txt"';
    expect((await get(openWorld(), {}, { download: [''] })).headers['content-disposition']).toBe(attached);
    expect((await get(openWorld(), {}, { download: [''] }, 'HEAD')).headers['content-disposition']).toBe(attached);
    const world = openWorld();
    const asked: unknown[] = [];
    world.deps.limits = { maxStreamedBytes: 1, redirectAboveBytes: 1 };
    world.deps.presign = async (input) => {
      asked.push(input);
      return { url: 'https://s3.example/', expires: '' };
    };
    await get(world, {}, { download: ['Ü.txt'] });
    expect(asked).toEqual([
      {
        bucket: TARGET_BUCKET,
        key: PATH.key,
        versionId: 'target-version-1',
        cacheControl: 'private, no-cache',
        contentDisposition: `attachment; filename="_.txt"; filename*=UTF-8''%C3%9C.txt`,
      },
    ]);
  });

  it('?versionId reads that version', async () => {
    const world = openWorld();
    await get(world, {}, { versionId: ['v-1'] });
    await get(world, {}, { versionId: ['v-1'] }, 'HEAD');
    expect(world.s3.commandCalls(GetObjectCommand)[0]?.args[0].input.VersionId).toBe('v-1');
    expect(world.s3.commandCalls(HeadObjectCommand)[0]?.args[0].input.VersionId).toBe('v-1');
  });
});
