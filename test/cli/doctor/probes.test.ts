import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { targetStatements } from '../../../cli/doctor/expected-policies.ts';
import { type ForeignWrite, tryAuditTrail } from '../../../cli/doctor/probes/audit-trail.ts';
import { downloadProblems } from '../../../cli/doctor/probes/download.ts';
import type { Example } from '../../../cli/doctor/probes/plan.ts';
import type { ProbeOptions } from '../../../cli/doctor/probes/probe.ts';
import { roundTrips } from '../../../cli/doctor/probes/round-trip.ts';
import { tryTargetPolicy } from '../../../cli/doctor/probes/target-policy.ts';
import { policySchema } from '../../../src/policy/schema.ts';
import { healthyWorld, NAMED_KEY, POLICY, policyText, refusal, STACK, type World } from './world.ts';

const DENIED_BY_BUCKET =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" with an explicit deny in a resource-based policy';
const NOT_ALLOWED =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action';
const NO_KEY =
  'User: arn:aws:iam::111111111111:user/ops is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-central-1:111111111111:key/a because no identity-based policy allows the kms:GenerateDataKey action';
const denied = (message: string) => refusal('AccessDenied', 403, message);

describe('a round trip', () => {
  const KEY = 'cards/sealdrop-doctor/1a';
  const example: Example = {
    rule: 'default',
    encryption: { mode: 'sse-kms', bucketKey: true },
    facts: { key: KEY, size: 3, contentType: 'x/y', tags: { class: 'a b' } },
  };
  const options = (change: Partial<ProbeOptions> = {}): ProbeOptions => ({
    timeoutMs: 0,
    api: null,
    signal: new AbortController().signal,
    ...change,
  });
  const asAsked = { mode: 'sse-kms', keyArn: STACK.keyArn, bucketKey: true };
  const records = ':prefix';
  /** What the table answers to a look at records, and at events. */
  const table = ({ dynamodb }: World, { record, event }: { record?: object; event?: object }) =>
    dynamodb.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues = {} }) => {
      const member = records in ExpressionAttributeValues ? record && { record } : event && { event };
      return { Items: member === undefined ? [] : [marshall(member)] };
    });
  const world = (outcome: { record?: object; event?: object } = {}) => {
    const made = healthyWorld();
    table(made, outcome);
    made.s3.on(PutObjectCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({
      Versions: [
        { Key: KEY, VersionId: 'v1' },
        { Key: `${KEY}b`, VersionId: 'v2' },
      ],
    });
    made.s3.on(DeleteObjectCommand).resolves({});
    made.sqs.on(ReceiveMessageCommand).resolves({ Messages: [] });
    made.sqs.on(DeleteMessageCommand).resolves({});
    return made;
  };
  const run = (made: World, given = options()) => roundTrips(made.context, [example], given);

  test('drops what the plan says, compares the record, and removes its own versions alone', async () => {
    const made = world({ record: { encryption: asAsked } });
    const { findings, proofs } = await run(made);
    expect(findings).toEqual([]);
    expect(proofs).toMatchObject([{ key: KEY, ms: expect.any(Number), downloaded: false }]);
    expect(made.s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: STACK.ingestBucket,
      Key: KEY,
      ContentType: 'x/y',
      Tagging: 'class=a+b',
      Body: expect.objectContaining({ length: 3 }),
    });
    const removed = made.s3.commandCalls(DeleteObjectCommand).map(({ args }) => `${args[0].input.Bucket} ${args[0].input.VersionId}`);
    expect(removed.sort()).toEqual([`${STACK.ingestBucket} v1`, `${STACK.targetBucket} v1`]);
  });

  test.each([
    ['mode', { ...asAsked, mode: 'sse-s3' }],
    ['key', { ...asAsked, keyArn: 'arn:aws:kms:eu-central-1:111111111111:key/other' }],
    ['bucket key', { ...asAsked, bucketKey: false }],
  ])('finds another %s than the policy says', async (_, encryption) => {
    const { findings, proofs } = await run(world({ record: { encryption } }));
    expect(findings).toMatchObject([{ id: 'round-trip.other-encryption', evidence: { expected: asAsked, found: encryption } }]);
    expect(proofs).toMatchObject([{ ms: null }]);
  });

  test('that failed says its code and what to do, and takes its own letter away', async () => {
    const made = world({ event: { action: 'EncryptionFailed', code: 'kms-key-disabled', detail: 'the key is disabled' } });
    made.sqs.on(ReceiveMessageCommand).resolves({
      Messages: [
        { ReceiptHandle: 'theirs', MessageAttributes: { key: { DataType: 'String', StringValue: 'cards/a' } } },
        { ReceiptHandle: 'own', MessageAttributes: { key: { DataType: 'String', StringValue: KEY } } },
      ],
    });
    const { findings } = await run(made);
    expect(findings).toMatchObject([
      {
        id: 'round-trip.failed',
        what: "not encrypted for kms-key-disabled: sse-kms (the stack's key, bucket key)",
        nextStep: expect.stringContaining('Enable the KMS key'),
        evidence: { code: 'kms-key-disabled', details: ['the key is disabled'] },
      },
    ]);
    expect(made.sqs.commandCalls(DeleteMessageCommand).map(({ args }) => args[0].input.ReceiptHandle)).toEqual(['own']);
  });

  test('that goes nowhere is lost after the time given', async () => {
    const started = Date.now();
    const { findings } = await run(world(), options({ timeoutMs: 300 }));
    expect(findings).toMatchObject([{ id: 'round-trip.lost' }]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(300);
  });

  test('that fail for one cause are one finding, and so are those that go nowhere', async () => {
    const two = [example, { ...example, encryption: { mode: 'sse-s3' as const } }];
    const failed = world({ event: { action: 'EncryptionFailed', code: 'kms-key-disabled' } });
    const { findings } = await roundTrips(failed.context, two, options());
    expect(findings).toMatchObject([
      { id: 'round-trip.failed', evidence: { encryptions: [expect.stringContaining('sse-kms'), 'sse-s3'] } },
    ]);
    expect((await roundTrips(world().context, two, options())).findings).toMatchObject([{ id: 'round-trip.lost' }]);
  });

  test('that is interrupted says nothing and leaves nothing', async () => {
    const made = world();
    const { findings } = await run(made, options({ timeoutMs: 60_000, signal: AbortSignal.timeout(50) }));
    expect(findings).toEqual([]);
    expect(made.s3.commandCalls(DeleteObjectCommand)).toHaveLength(2);
  });

  test('could not be tried by somebody who may not drop', async () => {
    const made = world();
    made.s3.on(PutObjectCommand).rejects(denied(NOT_ALLOWED));
    expect((await run(made)).findings).toMatchObject([
      { id: 'round-trip.could-not-look', severity: 'warning', evidence: { action: 's3:PutObject' } },
    ]);
  });

  test('could not be followed by somebody who may not read the table, and is removed', async () => {
    const made = world();
    made.dynamodb.on(QueryCommand).rejects(refusal('AccessDeniedException'));
    expect((await run(made)).findings).toMatchObject([{ id: 'round-trip.could-not-look', evidence: { action: 'dynamodb:Query' } }]);
    expect(made.s3.commandCalls(DeleteObjectCommand)).toHaveLength(2);
  });

  test('says what it could not remove', async () => {
    const made = world({ record: { encryption: asAsked } });
    made.s3.on(DeleteObjectCommand, { Bucket: STACK.targetBucket }).rejects(denied(NOT_ALLOWED));
    expect((await run(made)).findings).toMatchObject([{ id: 'round-trip.left-behind', resource: `${STACK.targetBucket}/${KEY}` }]);
  });
});

describe('the way back through the API', () => {
  const bytes = Buffer.from('sealdrop');
  let server: Server;
  let answer: { status: number; body: Buffer | string } = { status: 200, body: bytes };
  let asked: { url: string | undefined; authorization: string | undefined };
  beforeEach(async () => {
    server = createServer((request, response) => {
      asked = { url: request.url, authorization: request.headers.authorization };
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod/`;

  test('asks for the key as the holder of the token', async () => {
    answer = { status: 200, body: bytes };
    expect(await downloadProblems({ url: url(), token: 'jwt' }, 'a b/ü', bytes)).toEqual([]);
    expect(asked).toEqual({ url: `/prod/object?key=${encodeURIComponent('a b/ü')}`, authorization: 'Bearer jwt' });
  });

  test.each([
    [200, 'sealdrop!', 'round-trip.other-bytes'],
    [401, '{"code":"unauthenticated"}', 'round-trip.token-refused'],
    [403, '{"code":"forbidden"}', 'round-trip.token-without-right'],
    [503, '{"code":"kms-key-disabled"}', 'round-trip.download-failed'],
    [502, 'no JSON', 'round-trip.download-failed'],
  ])('finds an answer of %i with %s, and never shows the token', async (status, body, id) => {
    answer = { status, body };
    const findings = await downloadProblems({ url: url(), token: 'secret-jwt' }, 'k', bytes);
    expect(findings).toMatchObject([{ id }]);
    expect(JSON.stringify(findings)).not.toContain('secret-jwt');
  });

  test('finds an API that does not answer', async () => {
    const gone = url();
    await new Promise((resolve) => server.close(resolve));
    expect(await downloadProblems({ url: gone, token: 'jwt' }, 'k', bytes)).toMatchObject([{ id: 'round-trip.api-unreachable' }]);
  });
});

describe("the target bucket's policy, by trying it", () => {
  const world = (policy?: World['context']['policy']) => {
    const made = healthyWorld(policy && { policy });
    made.s3.on(PutObjectCommand).rejects(denied(DENIED_BY_BUCKET));
    made.s3.on(GetObjectCommand).rejects(denied(DENIED_BY_BUCKET.replace('PutObject', 'GetObject')));
    made.s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
    made.s3.on(UploadPartCommand).resolves({ ETag: 'e' });
    made.s3.on(CompleteMultipartUploadCommand).resolves({});
    made.s3.on(AbortMultipartUploadCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({});
    return made;
  };
  const found = async (made: World) => (await tryTargetPolicy(made.context)).findings.map(({ severity, id }) => `${severity} ${id}`);

  test('refuses what it must and accepts what it must', async () => {
    expect(await tryTargetPolicy(world().context)).toEqual({
      findings: [],
      held: [
        'a write without encryption headers is refused',
        'a direct read is refused',
        'a multipart upload with the right headers is accepted',
      ],
      skipped: [],
      written: [
        { key: expect.stringMatching(/^keyed\/sealdrop-doctor\//), encryption: { mode: 'sse-kms', key: NAMED_KEY, bucketKey: false } },
      ],
    });
  });

  test.each<[title: string, breakIt: (world: World) => unknown, ids: string[]]>([
    ['that takes a plain write', ({ s3 }) => s3.on(PutObjectCommand).resolves({}), ['error target-policy.plain-write-accepted']],
    [
      'that leaves a plain write to the KMS key',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied(NO_KEY)),
      ['error target-policy.plain-write-accepted'],
    ],
    [
      'that cannot be tried without s3:PutObject',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied(NOT_ALLOWED)),
      ['warning target-policy.could-not-look'],
    ],
    [
      'of another account, which does not say who refused',
      ({ s3 }) => s3.on(PutObjectCommand).rejects(denied('Access Denied')),
      ['warning target-policy.could-not-look'],
    ],
    [
      'that lets the operator read',
      ({ s3 }) => s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404)),
      ['error target-policy.read-allowed'],
    ],
    [
      'that refuses an upload with the right headers',
      ({ s3 }) => s3.on(CreateMultipartUploadCommand).rejects(denied(DENIED_BY_BUCKET)),
      ['error target-policy.right-write-refused'],
    ],
    [
      'that refuses parts',
      ({ s3 }) => s3.on(UploadPartCommand).rejects(denied(DENIED_BY_BUCKET)),
      ['error target-policy.right-write-refused'],
    ],
    [
      'under keys that the operator may not use',
      ({ s3 }) => s3.on(CreateMultipartUploadCommand).rejects(denied(NO_KEY)),
      ['warning target-policy.could-not-look'],
    ],
  ])('finds one %s', async (_, breakIt, ids) => {
    const made = world();
    breakIt(made);
    expect(await found(made)).toEqual(ids);
  });

  test.each([
    ['a user', 'arn:aws:iam::111111111111:user/ops', 'arn:aws:iam::111111111111:user/ops'],
    ['a session of a role with a path', 'arn:aws:sts::111111111111:assumed-role/Breaker/me', 'arn:aws:iam::111111111111:role/team/Breaker'],
  ])('knows %s who may break the glass', async (_, operator, named) => {
    const made = world();
    made.s3.on(GetObjectCommand).rejects(refusal('NoSuchKey', 404));
    made.s3.on(GetBucketPolicyCommand, { Bucket: STACK.auditBucket }).rejects(denied(NOT_ALLOWED));
    made.s3
      .on(GetBucketPolicyCommand, { Bucket: STACK.targetBucket })
      .resolves({ Policy: policyText(...targetStatements(STACK, POLICY, [named])) });
    const result = await tryTargetPolicy({ ...made.context, operator });
    expect(result.findings).toEqual([]);
    expect(result.held).toContain('a direct read is allowed to you, who may break the glass');
  });

  test('aborts an upload that it could not complete', async () => {
    const made = world();
    made.s3.on(UploadPartCommand).rejects(denied(DENIED_BY_BUCKET));
    await tryTargetPolicy(made.context);
    expect(made.s3.commandCalls(AbortMultipartUploadCommand)[0]?.args[0].input).toMatchObject({ UploadId: 'u' });
  });

  test('tries SSE-S3 first, which needs no right on a key', async () => {
    const rules = [{ match: { suffix: '.txt' }, encryption: { mode: 'sse-s3' } }];
    const made = world(policySchema.parse({ version: 1, rules, default: { encryption: { mode: 'sse-kms' } } }));
    await tryTargetPolicy(made.context);
    expect(made.s3.commandCalls(CreateMultipartUploadCommand)[0]?.args[0].input).toMatchObject({
      Key: expect.stringMatching(/\.txt$/),
      ServerSideEncryption: 'AES256',
    });
  });

  test('says that SSE-C alone was not tried', async () => {
    const made = world(policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-c' } } }));
    expect((await tryTargetPolicy(made.context)).skipped).toEqual([expect.stringContaining('SSE-C alone')]);
    expect(made.s3.commandCalls(CreateMultipartUploadCommand)).toEqual([]);
  });
});

describe('the audit of what others write', () => {
  const written: ForeignWrite = { key: 'a', encryption: { mode: 'sse-s3' } };
  const none = policySchema.parse({ version: 1, default: { encryption: { mode: 'sse-kms' } } });
  const options = (change: Partial<ProbeOptions> = {}): ProbeOptions => ({
    timeoutMs: 0,
    api: null,
    signal: new AbortController().signal,
    ...change,
  });
  /** What the table has of each key; `*`: of any other. */
  const world = (history: Record<string, object[]>, policy: World['context']['policy'] = none) => {
    const made = healthyWorld({ policy });
    made.dynamodb.on(QueryCommand).callsFake(async ({ ExpressionAttributeValues = {} }) => {
      const key = String(ExpressionAttributeValues[':pk'].S).replace(`audit#${STACK.targetBucket}/`, '');
      return { Items: (history[key] ?? history['*'] ?? []).map((event) => marshall({ event })) };
    });
    made.s3.on(PutObjectCommand).resolves({});
    made.s3.on(ListObjectVersionsCommand).resolves({});
    return made;
  };
  const foreign = (encryption?: object) => ({ action: 'ObjectWritten', ...(encryption && { encryption }) });

  test('holds where it is recorded as it was written, and takes nothing of ours for it', async () => {
    const made = world({ a: [foreign({ mode: 'sse-s3' })], own: [{ action: 'ObjectEncrypted' }] });
    expect(await tryAuditTrail(made.context, [written], ['own'], options())).toEqual({
      findings: [],
      held: ['a write of somebody else is recorded (sse-s3)'],
      skipped: [],
    });
    expect(made.s3.commandCalls(ListObjectVersionsCommand).map(({ args }) => args[0].input.Prefix)).toEqual(['a', 'a']);
  });

  test.each<[title: string, history: Record<string, object[]>, id: string]>([
    ['one that is not recorded', {}, 'audit-trail.write-not-recorded'],
    ['one that is recorded without its encryption', { a: [foreign()] }, 'audit-trail.other-encryption'],
    ['one that is recorded under another', { a: [foreign({ mode: 'sse-c' })] }, 'audit-trail.other-encryption'],
    ['drift where there is none', { a: [foreign({ mode: 'sse-s3' }), { action: 'DriftFound' }] }, 'audit-trail.other-encryption'],
    ['own writes taken for foreign ones', { a: [foreign({ mode: 'sse-s3' })], own: [foreign()] }, 'audit-trail.own-write-foreign'],
  ])('finds %s', async (_, history, id) => {
    expect((await tryAuditTrail(world(history).context, [written], ['own'], options())).findings).toMatchObject([
      { id, severity: 'error' },
    ]);
  });

  test('writes under a customer key of nobody where the policy names SSE-C, and shows it nowhere', async () => {
    const made = world({ '*': [foreign({ mode: 'sse-c' })] }, POLICY);
    const result = await tryAuditTrail(made.context, [], [], options());
    expect(result).toMatchObject({ findings: [], held: ['a write of somebody else is recorded (sse-c)'] });
    const { Key, SSECustomerKey = '' } = made.s3.commandCalls(PutObjectCommand)[0]?.args[0].input ?? {};
    expect(Key).toMatch(/^cards\/sealdrop-doctor\//);
    expect(Buffer.from(String(SSECustomerKey), 'base64')).toHaveLength(32);
    expect(JSON.stringify(result)).not.toContain(SSECustomerKey);
  });

  test.each([
    ['s3:PutObject is missing', NOT_ALLOWED, ['audit-trail.could-not-look']],
    ['the bucket blocks SSE-C, which its settings say', 'SSE-C is blocked by this bucket', []],
  ])('goes without that write where %s', async (_, message, ids) => {
    const made = world({ a: [foreign({ mode: 'sse-s3' })] }, POLICY);
    made.s3.on(PutObjectCommand).rejects(denied(message));
    expect((await tryAuditTrail(made.context, [written], [], options())).findings.map(({ id }) => id)).toEqual(ids);
  });

  test('says that nothing could be written', async () => {
    expect(await tryAuditTrail(world({}).context, [], [], options())).toMatchObject({
      findings: [],
      held: [],
      skipped: [expect.any(String)],
    });
  });

  test('could not be followed by somebody who may not read the table, and is removed', async () => {
    const made = world({});
    made.dynamodb.on(QueryCommand).rejects(refusal('AccessDeniedException'));
    expect((await tryAuditTrail(made.context, [written], [], options())).findings).toMatchObject([{ id: 'audit-trail.could-not-look' }]);
    expect(made.s3.commandCalls(ListObjectVersionsCommand)).toHaveLength(2);
  });
});
