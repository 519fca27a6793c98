/** Downloads of what S3 can serve by a copy alone: asked for, told to come again, redirected. */
import { Readable } from 'node:stream';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/download.ts';
import { createPresign } from '../../src/presigned-url.ts';
import { transitName } from '../../src/transit-copy.ts';
import { createTransitRequests, MOST_TRANSIT_BYTES, retryAfterSeconds } from '../../src/transit-requests.ts';
import { apiEvent, invokeStreaming, REQUEST_ID } from '../fixtures/api.ts';
import { headError, queueError, tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { ETAG, KEY_BASE64, KEY_VERSION, TARGET_BUCKET } from '../fixtures/objects.ts';
import { BYTES, OPEN_POLICY, openWorld } from '../fixtures/open-world.ts';

const BUCKET = 'sealdrop-dev-transit-000000000000-us-east-1';
const QUEUE_URL = 'https://sqs.example/transit';
const KEY = 'reports/summary.txt';
const VERSION = 'target-version-1';
const NAME = transitName({ bucket: TARGET_BUCKET, key: KEY, versionId: VERSION, etag: ETAG });
const GIB = 1024 ** 3;

interface Given {
  /** Seconds since the copy was made; `null`: there is none. */
  copied?: number | null;
  transit?: boolean;
  storedUnder?: string | null;
}

function world({ copied = null, transit = true, storedUnder = KEY_VERSION }: Given = {}) {
  const opened = openWorld({ storedUnder, policySays: { ...OPEN_POLICY, downloads: [{ under: ['reports/'], transit }] } });
  const { deps, clients, s3, sqs } = opened;
  const clock = { now: Date.parse('2026-11-20T10:00:00Z') };
  const held = { copied };
  s3.on(HeadObjectCommand, { Bucket: BUCKET }).callsFake(async () => {
    if (held.copied === null) throw headError(404);
    return { ETag: '"copied"', LastModified: new Date(clock.now - held.copied * 1000) };
  });
  sqs.on(SendMessageCommand).resolves({});
  const requests = createTransitRequests({
    s3: clients.s3,
    sqs: clients.sqs,
    transitBucket: BUCKET,
    transitBucketOwner: '333333333333',
    queueUrl: QUEUE_URL,
    now: () => clock.now,
  });
  Object.assign(deps, {
    transit: requests,
    presign: createPresign(clients.s3, () => clock.now),
    limits: { maxStreamedBytes: BYTES.length - 1, redirectAboveBytes: BYTES.length - 1 },
  });
  const get = (call: { method?: string; query?: Record<string, string[]>; headers?: Record<string, string[]>; path?: string } = {}) =>
    invokeStreaming(
      createHandler(() => deps),
      apiEvent({ ...call, path: { key: call.path ?? KEY } }),
    );
  const orders = () => sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input);
  return { ...opened, clock, held, get, orders };
}

describe('without a copy', () => {
  it('the caller is told when to come again, and one is ordered', async () => {
    const { get, orders } = world();
    const answer = await get();
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).toMatchObject({
      'retry-after': '2',
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-sealdrop-encryption': 'sse-c',
      'x-sealdrop-version-id': VERSION,
    });
    expect(JSON.parse(answer.body.toString())).toEqual({
      status: 'preparing',
      retryAfterSeconds: 2,
      instance: `urn:request:${REQUEST_ID}`,
    });
    expect(orders().map(({ QueueUrl, MessageBody = '' }) => [QueueUrl, JSON.parse(MessageBody)])).toEqual([
      [
        QUEUE_URL,
        {
          kind: 'transit',
          version: 1,
          key: KEY,
          versionId: VERSION,
          etag: ETAG,
          size: BYTES.length,
          requestedAt: expect.any(String),
          correlationId: REQUEST_ID,
        },
      ],
    ]);
    expect(JSON.stringify(orders())).not.toContain(KEY_BASE64);
  });

  it('it is recorded before it is ordered, and never ordered where it cannot be', async () => {
    const recorded = world();
    await recorded.get();
    expect(auditEvents(recorded)).toEqual([
      expect.objectContaining({
        action: 'TransitRequested',
        outcome: 'success',
        key: KEY,
        versionId: VERSION,
        actor: 'user-17',
        size: BYTES.length,
        encryption: expect.objectContaining({ mode: 'sse-c', customerKeyVersion: KEY_VERSION }),
      }),
    ]);
    const silent = world();
    silent.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    expect([(await silent.get()).statusCode, silent.orders()]).toEqual([503, []]);
  });

  it('an order that could not be sent is a failure, and recorded as that', async () => {
    const broken = world();
    broken.sqs.on(SendMessageCommand).rejects(queueError('ServiceUnavailable', 503));
    expect((await broken.get()).statusCode).toBe(503);
    expect(auditEvents(broken).map(({ action, outcome, code }) => [action, outcome, code])).toEqual([
      ['TransitRequested', 'success', undefined],
      ['TransitRequested', 'failure', 'service-unavailable'],
    ]);
  });

  it('whoever asks again within a minute is recorded, and nothing more is ordered', async () => {
    const asking = world();
    for (const seconds of [0, 30, 29]) {
      asking.clock.now += seconds * 1000;
      expect((await asking.get()).statusCode).toBe(202);
    }
    expect([asking.orders().length, auditEvents(asking).length]).toEqual([1, 3]);
    asking.clock.now += 1_000;
    await asking.get();
    expect(asking.orders()).toHaveLength(2);
  });

  it('one that goes too soon for a URL is as none', async () => {
    expect((await world({ copied: 599 }).get()).statusCode).toBe(307);
    expect((await world({ copied: 600 }).get()).statusCode).toBe(202);
  });

  it('nobody without the right learns of it', async () => {
    const { get, orders, s3 } = world();
    expect((await get({ path: 'closed/1' })).statusCode).toBe(403);
    expect([orders(), s3.calls()]).toEqual([[], []]);
  });

  it.each([
    ['policy.yml does not allow it', { transit: false }, {}],
    ['the caller takes no redirects', {}, { redirect: ['never'] }],
  ])('ranges are all there is where %s', async (_why, given, query) => {
    const { get, orders } = world(given);
    expect([(await get({ query })).statusCode, orders()]).toEqual([403, []]);
  });

  it.each([
    [MOST_TRANSIT_BYTES, 202],
    [MOST_TRANSIT_BYTES + 1, 403],
  ])('of an object of %d bytes the answer is %d', async (ContentLength, status) => {
    const { get, s3, orders } = world();
    const answer = { ContentLength, ETag: `"${ETAG}"`, VersionId: VERSION, SSECustomerAlgorithm: 'AES256' };
    s3.on(GetObjectCommand).callsFake(async () => ({ ...answer, Body: Readable.from([]) }));
    expect([(await get()).statusCode, orders().length]).toEqual([status, status === 202 ? 1 : 0]);
  });

  it('a HEAD, a small range and a condition are answered as ever', async () => {
    const { get, orders } = world();
    expect((await get({ method: 'HEAD' })).statusCode).toBe(200);
    expect((await get({ headers: { range: ['bytes=0-3'] } })).statusCode).toBe(206);
    expect((await get({ headers: { 'if-none-match': [`"${ETAG}"`] } })).statusCode).toBe(304);
    expect(orders()).toEqual([]);
  });

  it('a bucket that may not be looked at is our trouble', async () => {
    const { get, s3, orders } = world();
    s3.on(HeadObjectCommand, { Bucket: BUCKET }).rejects(headError(403));
    expect([(await get()).statusCode, orders()]).toEqual([503, []]);
  });
});

describe('with a copy', () => {
  it('S3 serves it, under the name and the rules that the caller is to see', async () => {
    const { get, orders } = world({ copied: 0 });
    const answer = await get({ query: { download: ['report.txt'] } });
    expect([answer.statusCode, orders()]).toEqual([307, []]);
    const url = new URL(answer.headers.location ?? '');
    expect(url.href).toContain(BUCKET);
    expect(url.pathname).toContain(NAME);
    expect(url.searchParams.get('versionId')).toBeNull();
    expect(url.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(url.searchParams.get('response-cache-control')).toContain('private');
    expect(url.searchParams.get('response-content-disposition')).toContain('report.txt');
    expect(url.href).not.toContain('summary');
    expect(answer.headers).toMatchObject({ 'x-sealdrop-encryption': 'sse-c', 'x-sealdrop-version-id': VERSION });
  });

  it('it is recorded who may read which version until when, and no URL is given where it cannot be', async () => {
    const recorded = world({ copied: 10 });
    await recorded.get();
    const [event, ...others] = auditEvents(recorded);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ action: 'DownloadAuthorised', versionId: VERSION, expires: '2026-11-20T10:05:00.000Z' });
    expect(event).not.toHaveProperty('detail');
    const silent = world({ copied: 10 });
    silent.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await silent.get();
    expect([answer.statusCode, answer.headers.location]).toEqual([503, undefined]);
  });

  it('objects that S3 serves by itself are served so', async () => {
    const { get } = world({ copied: 0, storedUnder: null });
    expect((await get()).headers.location).toContain(TARGET_BUCKET);
  });
});

describe('a name', () => {
  it('is another for each bucket, key, version and state', () => {
    const named = { bucket: 'b', key: 'k', versionId: 'v', etag: 'e' };
    const names = [{}, { bucket: 'x' }, { key: 'x' }, { versionId: 'x' }, { etag: 'x' }].map((other) =>
      transitName({ ...named, ...other }),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(transitName({ ...named, key: 'k","v' })).not.toBe(transitName({ ...named, versionId: 'v","v' }));
  });
});

it('the larger an object, the later the caller is told to come again, within half a minute', () => {
  const sizes = [0, 2 * GIB - 1, 2 * GIB, 20 * GIB, MOST_TRANSIT_BYTES];
  expect(sizes.map(retryAfterSeconds)).toEqual([2, 2, 3, 12, 30]);
});
