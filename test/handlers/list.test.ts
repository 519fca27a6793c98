import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/list.ts';
import { apiEvent, invoke } from '../fixtures/api.ts';
import { s3Error, tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { ETAG, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';
import { openWorld } from '../fixtures/open-world.ts';

const TARGET = { Bucket: TARGET_BUCKET, ExpectedBucketOwner: TARGET_OWNER };

function world() {
  const opened = openWorld();
  opened.s3.on(ListObjectsV2Command).resolves({
    Contents: [
      { Key: 'reports/1.txt', Size: 5, ETag: `"${ETAG}"`, LastModified: new Date('2026-11-20T09:30:16Z') },
      { Key: 'reports/2.txt' },
    ],
    CommonPrefixes: [{ Prefix: 'reports/2026/' }],
    NextContinuationToken: 'next-page',
  });
  const list = (query: Record<string, string[]> | null) =>
    invoke(
      createHandler(() => opened.deps),
      apiEvent({ query }),
    );
  return { ...opened, list, asked: () => opened.s3.commandCalls(ListObjectsV2Command).map((call) => call.args[0].input) };
}

describe('GET /objects', () => {
  it('gives a page', async () => {
    expect(await world().list({ prefix: ['reports/'] })).toEqual({
      status: 200,
      body: {
        objects: [
          { key: 'reports/1.txt', size: 5, etag: ETAG, lastModified: '2026-11-20T09:30:16.000Z' },
          { key: 'reports/2.txt', size: 0, etag: '', lastModified: null },
        ],
        prefixes: ['reports/2026/'],
        cursor: 'next-page',
      },
    });
  });

  it('gives an empty page and its end', async () => {
    const { s3, list } = world();
    s3.on(ListObjectsV2Command).resolves({});
    expect((await list({ prefix: ['reports/'] })).body).toEqual({ objects: [], prefixes: [], cursor: null });
  });

  it('asks S3 for exactly what was asked', async () => {
    const { deps, asked, list } = world();
    await invoke(
      createHandler(() => deps),
      event('list'),
    );
    await list({ prefix: ['reports/'], cursor: ['next-page'] });
    expect(asked()).toEqual([
      { ...TARGET, Prefix: 'reports/', Delimiter: '/', MaxKeys: 50, ContinuationToken: undefined, EncodingType: 'url' },
      {
        ...TARGET,
        Prefix: 'reports/',
        Delimiter: undefined,
        MaxKeys: 1000,
        ContinuationToken: 'next-page',
        EncodingType: 'url',
      },
    ]);
  });

  it.each([
    [1024, 200],
    [1025, 400],
  ])('judges a prefix of %i bytes: %i', async (length, status) => {
    const { list, asked } = world();
    expect((await list({ prefix: [`reports/${'z'.repeat(length - 8)}`] })).status).toBe(status);
    expect(asked()).toHaveLength(status === 200 ? 1 : 0);
  });

  it('gives keys and prefixes as they are, whatever XML can carry', async () => {
    const { s3, list } = world();
    s3.on(ListObjectsV2Command).resolves({
      Contents: [{ Key: 'reports/a+b%2Bc%01%C3%A9.txt', Size: 1, ETag: ETAG }],
      CommonPrefixes: [{ Prefix: 'reports/100%25/' }],
    });
    const { body } = await list({ prefix: ['reports/'] });
    expect(body).toMatchObject({ objects: [{ key: 'reports/a b+c\u0001é.txt' }], prefixes: ['reports/100%/'] });
  });

  it.each([null, { prefix: ['cards/'] }, { prefix: ['report'] }])(
    'denies %j, which is not all under a permitted prefix, and records that',
    async (query) => {
      const { list, s3, dynamodb } = world();
      expect(await list(query)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(s3.calls()).toHaveLength(0);
      expect(auditEvents({ dynamodb })).toEqual([
        expect.objectContaining({ action: 'ListDenied', outcome: 'denied', key: query?.prefix[0] ?? '' }),
      ]);
    },
  );

  it('denies who may read and see histories, but not list', async () => {
    const { deps, s3 } = world();
    const access = deps.access.map((rule) => ({ ...rule, may: ['read' as const, 'history' as const] }));
    const answer = await invoke(
      createHandler(() => ({ ...deps, access })),
      event('list'),
    );
    expect([answer.status, s3.calls().length]).toEqual([403, 0]);
  });

  it('denies even when that cannot be recorded', async () => {
    const { list, dynamodb } = world();
    dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    expect(await list(null)).toMatchObject({ status: 403 });
  });

  it.each([
    [{ limit: ['0'] }, 'limit'],
    [{ limit: ['1001'] }, 'limit'],
    [{ prefx: ['a'] }, 'prefx'],
    [{ prefix: ['a', 'b'] }, 'prefix'],
  ])('refuses %j by name', async (query, named) => {
    expect(await world().list(query)).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining(named) },
    });
  });

  it.each([
    ['InvalidArgument', 400, 400, 'invalid-request'],
    ['AccessDenied', 403, 503, 'access-denied'],
    ['NoSuchBucket', 404, 503, 'target-missing'],
    ['SlowDown', 503, 503, 'throttled'],
  ])('answers %s of S3 (%d) with %d', async (name, status, answered, code) => {
    const { list, s3 } = world();
    s3.on(ListObjectsV2Command).rejects(s3Error(name, status, `about ${TARGET_BUCKET}`));
    const answer = await list({ prefix: ['reports/'], cursor: ['x'] });
    expect(answer).toMatchObject({ status: answered, body: { code } });
    if (answered !== 400) expect(JSON.stringify(answer)).not.toContain(TARGET_BUCKET);
  });
});
