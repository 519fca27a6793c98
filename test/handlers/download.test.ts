import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/download.ts';
import { apiEvent, invokeStreaming, REQUEST_ID } from '../fixtures/api.ts';
import { headError, s3Error, tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { event } from '../fixtures/events.ts';
import { ETAG, STACK_KEY, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';
import { BYTES, type OpenWorld, openWorld } from '../fixtures/open-world.ts';

const PATH = { key: 'reports/summary.txt' };

const get = (world: OpenWorld, call = apiEvent({ path: PATH })) =>
  invokeStreaming(
    createHandler(() => world.deps),
    call,
  );
const head = (world: OpenWorld) => get(world, apiEvent({ method: 'HEAD', path: PATH }));
const problem = (answer: { body: Buffer }) => JSON.parse(answer.body.toString());

describe('GET', () => {
  it('serves the bytes with what is known of them', async () => {
    const answer = await get(openWorld());
    expect(answer.statusCode).toBe(200);
    expect(answer.body.equals(BYTES)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': String(BYTES.length),
      'x-sealdrop-length': String(BYTES.length),
      etag: `"${ETAG}"`,
      'last-modified': 'Fri, 20 Nov 2026 09:30:16 GMT',
      'x-amz-meta-owner': 'finance',
      'x-sealdrop-encryption': 'sse-kms',
      'x-sealdrop-version-id': 'target-version-1',
    });
  });

  it('is recorded before its first byte', async () => {
    const world = openWorld();
    let bytesRead: boolean | undefined;
    world.dynamodb.on(PutItemCommand).callsFake(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      bytesRead = world.bodies[0]?.readableDidRead;
      return {};
    });
    await get(world);
    expect(bytesRead).toBe(false);
    expect(auditEvents(world)).toEqual([
      {
        action: 'ObjectDownloaded',
        outcome: 'success',
        bucket: TARGET_BUCKET,
        key: PATH.key,
        actor: 'user-17',
        at: expect.any(String),
        recordedAt: expect.any(String),
        uniqueId: REQUEST_ID,
        correlationId: REQUEST_ID,
        size: BYTES.length,
        versionId: 'target-version-1',
        encryption: { mode: 'sse-kms', keyArn: STACK_KEY, bucketKey: true },
      },
    ]);
  });

  it('gives no byte when it cannot be recorded, and lets go of the object', async () => {
    const world = openWorld();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await get(world);
    expect(answer.statusCode).toBe(503);
    expect(problem(answer)).toMatchObject({ code: 'audit-unavailable', instance: `urn:request:${REQUEST_ID}` });
    expect(answer.body.includes(BYTES)).toBe(false);
    expect(world.bodies.map((body) => [body.destroyed, body.readableDidRead])).toEqual([[true, false]]);
  });

  it.each(['download-path', 'download-query'])('serves what %s asks for', async (name) => {
    const world = openWorld();
    expect((await get(world, event(name) as ReturnType<typeof apiEvent>)).statusCode).toBe(200);
    const key = name === 'download-path' ? 'reports/annual report.pdf' : 'reports//../50% off.txt';
    expect(world.s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: TARGET_BUCKET,
      ExpectedBucketOwner: TARGET_OWNER,
      Key: key,
    });
  });

  it.each([
    ['broken/download-unknown-query', 400, 'invalid-request'],
    ['broken/download-repeated-query', 400, 'invalid-request'],
    ['broken/download-lone-percent', 400, 'invalid-request'],
    ['broken/download-no-claims', 401, 'unauthenticated'],
  ])('answers %s with %d', async (name, status, code) => {
    const world = openWorld();
    const answer = await get(world, event(name) as ReturnType<typeof apiEvent>);
    expect([answer.statusCode, problem(answer).code]).toEqual([status, code]);
    expect([...world.s3.calls(), ...world.dynamodb.calls()]).toHaveLength(0);
  });
});

describe('HEAD', () => {
  it('gives the same headers, no byte, and is recorded as an inspection', async () => {
    const world = openWorld();
    const [inspected, downloaded] = [await head(world), await get(openWorld())];
    expect(inspected.headers).toEqual(downloaded.headers);
    expect(inspected.body).toHaveLength(0);
    expect(world.s3.commandCalls(HeadObjectCommand)).toHaveLength(1);
    expect(world.s3.commandCalls(GetObjectCommand)).toHaveLength(0);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'ObjectInspected', outcome: 'success' })]);
  });

  it('says nothing of an object when it cannot be recorded', async () => {
    const world = openWorld();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    const answer = await head(world);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers).not.toHaveProperty('etag');
  });

  it('of a missing object is 404', async () => {
    const world = openWorld();
    world.s3.on(HeadObjectCommand).rejects(headError(404));
    expect((await head(world)).statusCode).toBe(404);
  });
});

describe('a caller without a right to the key', () => {
  const DENIED = apiEvent({ path: { key: 'cards/visa.csv' } });

  it('gets 403, before anything is looked up, and is recorded', async () => {
    const world = openWorld();
    const answer = await get(world, DENIED);
    expect(answer.statusCode).toBe(403);
    expect(problem(answer)).toMatchObject({ code: 'forbidden', status: 403 });
    expect([...world.s3.calls(), ...world.secretsManager.calls(), ...world.dynamodb.commandCalls(QueryCommand)]).toHaveLength(0);
    expect(auditEvents(world)).toEqual([
      expect.objectContaining({ action: 'DownloadDenied', outcome: 'denied', actor: 'user-17', key: 'cards/visa.csv' }),
    ]);
  });

  it('gets 403 though it may list and see histories there', async () => {
    const world = openWorld();
    const access = world.deps.access.map((rule) => ({ ...rule, may: ['list' as const, 'history' as const] }));
    const policy = { ...world.deps.policy, access };
    const answer = await invokeStreaming(
      createHandler(() => ({ ...world.deps, policy })),
      apiEvent({ path: PATH }),
    );
    expect([answer.statusCode, world.s3.calls().length]).toEqual([403, 0]);
  });

  it('cannot tell a missing object from one that exists', async () => {
    const missing = openWorld({ recorded: 'no record' });
    missing.s3.on(GetObjectCommand).rejects(s3Error('NoSuchKey', 404));
    expect(await get(missing, DENIED)).toEqual(await get(openWorld(), DENIED));
  });

  it('gets 403 even when the refusal cannot be recorded; a log line stands for it', async () => {
    const world = openWorld();
    world.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    expect((await get(world, DENIED)).statusCode).toBe(403);
    expect(world.log.entries).toEqual([
      {
        level: 'error',
        message: 'a refusal could not be recorded',
        fields: expect.objectContaining({ action: 'DownloadDenied', actor: 'user-17' }),
      },
    ]);
  });

  it('is judged by the very key that S3 sees, decoded once', async () => {
    const dots = openWorld();
    await get(dots, apiEvent({ path: { key: 'reports%2F..%2Fcards%2Fvisa.csv' } }));
    expect(dots.s3.commandCalls(GetObjectCommand)[0]?.args[0].input.Key).toBe('reports/../cards/visa.csv');
    const encoded = await get(openWorld(), apiEvent({ path: { key: 'reports%252Fx' } }));
    expect(encoded.statusCode).toBe(403);
  });
});

describe('what S3 refuses', () => {
  it.each([
    ['NoSuchKey', 404, 404, 'not-found'],
    ['NoSuchBucket', 404, 503, 'target-missing'],
    ['KMS.DisabledException', 400, 503, 'kms-key-disabled'],
    ['KMS.KMSInvalidStateException', 400, 503, 'kms-key-pending-deletion'],
    ['ThrottlingException', 400, 503, 'throttled'],
    ['ExpiredToken', 400, 503, 'service-unavailable'],
    ['SlowDown', 503, 503, 'throttled'],
    ['InternalError', 500, 503, 'service-unavailable'],
    ['AccessDenied', 403, 503, 'access-denied'],
  ])('with %s (%d) is %d %s, and recorded as a failure', async (name, status, answered, code) => {
    const world = openWorld();
    world.s3.on(GetObjectCommand).rejects(s3Error(name, status));
    const answer = await get(world);
    expect([answer.statusCode, problem(answer).code]).toEqual([answered, code]);
    expect(auditEvents(world)).toEqual([expect.objectContaining({ action: 'ObjectDownloaded', outcome: 'failure', code })]);
    expect(world.s3.calls()).toHaveLength(1);
  });

  it('for lack of a KMS right is told from other denials', async () => {
    const world = openWorld();
    world.s3
      .on(GetObjectCommand)
      .rejects(s3Error('AccessDenied', 403, 'User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:secret'));
    const answer = await get(world);
    expect(problem(answer).code).toBe('kms-key-denied');
    expect(answer.body.toString()).not.toMatch(/arn:|sealdrop-dev|User:/);
    expect(world.log.entries[0]?.fields).toMatchObject({ cause: expect.stringContaining('arn:aws:kms:secret'), correlationId: REQUEST_ID });
  });

  it('by not saying how an object is encrypted is no success', async () => {
    const world = openWorld();
    world.s3.on(HeadObjectCommand).resolves({ ContentLength: 1 });
    const answer = await head(world);
    expect([answer.statusCode, problem(answer).code]).toEqual([502, 'answer-mismatch']);
  });

  it('needs no body when it has none to give', async () => {
    const world = openWorld();
    world.s3.on(GetObjectCommand).resolves({ ServerSideEncryption: 'AES256' });
    expect((await get(world)).statusCode).toBe(503);
  });
});
