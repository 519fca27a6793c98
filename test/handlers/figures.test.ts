import { BatchWriteItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHandler as createDownload } from '../../handlers/download.ts';
import { createHandler as createEncrypt } from '../../handlers/encrypt.ts';
import { createHandler as createHistory } from '../../handlers/history.ts';
import { createHandler as createList } from '../../handlers/list.ts';
import { apiEvent, invoke, invokeStreaming } from '../fixtures/api.ts';
import { s3Error, secretError, tableError } from '../fixtures/aws.ts';
import { encryptWorld } from '../fixtures/encrypt-world.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { BYTES, openWorld } from '../fixtures/open-world.ts';

const DENIED =
  'User: x is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:r:a:key/k because no identity-based policy allows it';

afterEach(() => void vi.useRealTimers());

function encrypting() {
  vi.useFakeTimers({ now: Date.parse('2026-11-20T09:30:16.000Z'), toFake: ['Date'] });
  const world = encryptWorld();
  return { world, run: createEncrypt(() => world.deps) };
}

describe('encrypt', () => {
  it('counts objects and bytes by mode, and the time since the source was stored', async () => {
    const { world, run } = encrypting();
    await run(queued([notification({ key: 'cards/1', size: 5 }), notification({ key: 'plain/1', size: 7, sequencer: '02' })]));
    expect(world.metrics.figures).toEqual([
      { name: 'ObjectsEncrypted', value: 1, by: { mode: 'sse-c' } },
      { name: 'BytesEncrypted', value: 5, by: { mode: 'sse-c' } },
      { name: 'EncryptLatency', value: 877, by: {} },
      { name: 'ObjectsEncrypted', value: 1, by: { mode: 'sse-s3' } },
      { name: 'BytesEncrypted', value: 7, by: { mode: 'sse-s3' } },
      { name: 'EncryptLatency', value: 877, by: {} },
    ]);
    expect(world.metrics.flushes).toBe(1);
  });

  it('counts nothing as encrypted that is not recorded', async () => {
    const { world, run } = encrypting();
    // The claim and the event are, the record is not.
    world.dynamodb.on(PutItemCommand).resolvesOnce({}).resolvesOnce({}).rejects(tableError('InternalServerError'));
    await run(queued([notification({})]));
    expect(world.metrics.figures).toEqual([{ name: 'Failures', value: 1, by: { code: 'audit-unavailable', mode: 'sse-kms' } }]);
  });

  it('counts failures by code, and by mode where it was decided', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(s3Error('SlowDown', 503));
    world.secretsManager.on(GetSecretValueCommand).rejects(secretError('ResourceNotFoundException'));
    await run(queued([notification({ key: 'dsse/1' }), notification({ key: 'cards/1', sequencer: '02' }), 'not json']));
    expect(world.metrics.figures).toEqual([
      { name: 'Failures', value: 1, by: { code: 'throttled', mode: 'dsse-kms' } },
      { name: 'Failures', value: 1, by: { code: 'customer-key-missing' } },
      { name: 'Failures', value: 1, by: { code: 'malformed-event' } },
    ]);
  });

  it('counts calls of KMS that were denied', async () => {
    const { world, run } = encrypting();
    world.s3.on(CopyObjectCommand).rejects(s3Error('AccessDenied', 403, DENIED));
    await run(queued([notification({ key: 'a' }), notification({ key: 'b' })]));
    expect(world.metrics.sum('DeniedKmsCalls')).toBe(2);
  });

  it('writes its figures also when it throws', async () => {
    const { world, run } = encrypting();
    world.sqs.rejects(new Error('no'));
    await expect(run({ Records: [{}] })).rejects.toMatchObject({ code: 'malformed-event' });
    expect(world.metrics.flushes).toBe(1);
  });

  it('keeps a clock that is behind S3 from making a latency negative', async () => {
    const { world, run } = encrypting();
    vi.setSystemTime(Date.parse('2026-11-20T09:30:00.000Z'));
    await run(queued([notification({})]));
    expect(world.metrics.figures).toContainEqual({ name: 'EncryptLatency', value: 0, by: {} });
  });

  it('counts each object of a batch that the table did not take', async () => {
    const { world, run } = encrypting();
    world.dynamodb.on(BatchWriteItemCommand).rejects(tableError('InternalServerError'));
    await run(queued([notification({ key: 'a' }), notification({ key: 'b' })]));
    expect(world.metrics.sum('Failures')).toBe(2);
    expect(world.metrics.sum('ObjectsEncrypted')).toBe(0);
  });
});

describe('download', () => {
  const get = (world: ReturnType<typeof openWorld>, method: 'GET' | 'HEAD' = 'GET', key = 'reports/1') =>
    invokeStreaming(
      createDownload(() => world.deps),
      apiEvent({ method, path: { key } }),
    );

  it('counts what it serves by mode, its bytes, and the time to the first of them', async () => {
    const world = openWorld();
    await get(world);
    expect(world.metrics.figures).toEqual([
      { name: 'ObjectsDownloaded', value: 1, by: { mode: 'sse-kms' } },
      { name: 'BytesDownloaded', value: BYTES.length, by: {} },
      { name: 'DownloadLatency', value: expect.any(Number), by: {} },
    ]);
    expect(world.metrics.flushes).toBe(1);
  });

  it('counts no HEAD, and nothing that was not recorded', async () => {
    const world = openWorld();
    await get(world, 'HEAD');
    expect(world.metrics.figures).toEqual([]);
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    await get(world);
    expect(world.metrics.figures).toEqual([{ name: 'Failures', value: 1, by: { code: 'audit-unavailable' } }]);
  });

  it('counts its own failures, not those of callers', async () => {
    const world = openWorld();
    world.s3.on(GetObjectCommand).rejects(s3Error('AccessDenied', 403, DENIED.replace('GenerateDataKey', 'Decrypt')));
    await get(world, 'GET', 'secret/1');
    world.s3.on(HeadObjectCommand).rejects(s3Error('NotFound', 404));
    await get(world, 'HEAD');
    expect(world.metrics.figures).toEqual([]);
    await get(world);
    expect(world.metrics.figures).toEqual([
      { name: 'Failures', value: 1, by: { code: 'kms-key-denied' } },
      { name: 'DeniedKmsCalls', value: 1, by: {} },
    ]);
    expect(world.metrics.flushes).toBe(3);
  });
});

describe('list and history', () => {
  it('count their own failures', async () => {
    const world = openWorld();
    world.s3.on(ListObjectsV2Command).rejects(s3Error('SlowDown', 503));
    world.dynamodb.on(QueryCommand).rejects(tableError('InternalServerError'));
    await invoke(
      createList(() => world.deps),
      apiEvent({ query: { prefix: ['reports/'] } }),
    );
    await invoke(
      createHistory(() => world.deps),
      apiEvent({ query: { key: ['reports/1'] } }),
    );
    expect(world.metrics.figures.map(({ by }) => by.code)).toEqual(['throttled', 'audit-unavailable']);
    expect(world.metrics.flushes).toBe(2);
  });
});
