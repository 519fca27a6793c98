/** Large objects under SSE-C, by a copy that S3 serves for some minutes: through the shipped functions, with lowered limits. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drained } from '../../local/queues.ts';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const MIB = 1024 ** 2;
/** The stack's limits are lowered to these; S3's least part has 5 MiB. */
const LIMITS = {
  MaxStreamedBytes: String(MIB),
  RedirectAboveBytes: String(MIB),
  PartsAboveBytes: String(8 * MIB),
  PartBytes: String(5 * MIB),
};

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/transit.yml', {}, LIMITS);
}, 60_000);
afterAll(() => stack?.stop());

const variable = (name: string) => stack.env[name] ?? '';
const get = (key: string, { token = variable('SEALDROP_TOKEN'), query = '', method = 'GET' } = {}) =>
  stack.api(`/objects/${key}${query}`, { method, token });

async function drop(key: string, size: number): Promise<Buffer> {
  const body = randomBytes(size);
  await stack.drop(key, body, { ContentType: 'video/mp4', CacheControl: 'max-age=60' });
  await stack.settled();
  return body;
}

/** Asks until S3 serves it. */
async function served(key: string, query = ''): Promise<string> {
  let location: string | null = null;
  await until(`a copy of ${key}`, async () => {
    const answer = await get(key, { query });
    expect([202, 307]).toContain(answer.status);
    location = answer.headers.get('location');
    return location !== null;
  });
  return location ?? '';
}

const events = (key: string) => stack.history(key);

/** What happened to an object since it was encrypted, oldest first. */
async function trail(key: string): Promise<string[]> {
  const since = (await events(key)).filter(({ actor }) => actor !== 'function/encrypt');
  return since.map(({ action, actor }) => `${action} by ${actor}`);
}

/** As one of the functions, or as the administrator, who is also the stack's break-glass role. */
function s3As(name: string | null): S3Client {
  if (name === null) return stack.s3;
  const credentials = stack.sandbox.functionCredentials(`sealdrop-dev-${name}`);
  return new S3Client({ endpoint: variable('AWS_ENDPOINT_URL'), region: variable('AWS_REGION'), credentials });
}

async function copies(): Promise<string[]> {
  const { Contents = [] } = await stack.s3.send(new ListObjectsV2Command({ Bucket: variable('SEALDROP_TRANSIT_BUCKET') }));
  return Contents.map(({ Key = '' }) => Key);
}

const transitDrained = () => drained({ sqs: stack.sqs, queueUrl: variable('SEALDROP_TRANSIT_QUEUE_URL') }, () => {}, 25_000);

/** A quarter of an hour: what is held back in the transit queue is not any more. */
async function letDelayPass(): Promise<void> {
  const QueueUrl = variable('SEALDROP_TRANSIT_QUEUE_URL');
  const db = new DatabaseSync(join(stack.dataDir, 'state.db'));
  db.prepare('UPDATE sqs_messages SET visible_ms = ? WHERE queue_id = (SELECT id FROM sqs_queues WHERE name = ?)').run(
    Date.now(),
    QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1),
  );
  db.close();
  // Nobody told the queue's timers; a message does. It is about a copy that is not there.
  const copy = { name: '0'.repeat(64), etag: 'none' };
  const MessageBody = JSON.stringify({ kind: 'transit-delete', version: 1, key: 'none', versionId: 'none', correlationId: '', copy });
  await stack.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  await transitDrained();
}

/** A command as a shell starts it. @returns the document that it prints */
async function sealdrop(...args: string[]): Promise<Record<string, unknown>> {
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...stack.env };
  const printed = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['bin/sealdrop.js', ...args, '--json'], { cwd: PROJECT, env }, (_, stdout) => resolve(stdout));
  });
  return JSON.parse(printed) as Record<string, unknown>;
}

test('the stack is well', async () => {
  expect(await sealdrop('doctor', '--policy', 'test/e2e/transit.yml')).toMatchObject({ ok: true, findings: [] });
}, 60_000);

test('a large object under SSE-C is asked for, copied, served by S3 without its key, and gone again', async () => {
  const key = 'cards/film.mp4';
  const body = await drop(key, 3 * MIB);

  const first = await get(key);
  expect([first.status, first.headers.get('retry-after'), first.headers.get('x-sealdrop-encryption')]).toEqual([202, '2', 'sse-c']);
  expect(await first.json()).toMatchObject({ status: 'preparing', retryAfterSeconds: 2 });

  const location = await served(key, '?download=my.mp4');
  expect(location).not.toContain('film');
  const answer = await fetch(location);
  expect(answer.status).toBe(200);
  expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'video/mp4',
    'content-disposition': 'attachment; filename="my.mp4"',
    'cache-control': 'private, max-age=60',
    'x-amz-server-side-encryption': 'aws:kms',
  });
  const part = await fetch(location, { headers: { range: 'bytes=1000-1999' } });
  expect([part.status, Buffer.from(await part.arrayBuffer()).equals(body.subarray(1000, 2000))]).toEqual([206, true]);

  const [name = ''] = await copies();
  const head = await s3As('download').send(new HeadObjectCommand({ Bucket: variable('SEALDROP_TRANSIT_BUCKET'), Key: name }));
  expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: variable('SEALDROP_KMS_KEY_ARN'), BucketKeyEnabled: true });
  expect(head.VersionId).toBeUndefined();

  await letDelayPass();
  expect(await copies()).toEqual([]);
  expect((await fetch(location)).status).toBe(404);

  const done = await trail(key);
  expect(new Set(done)).toEqual(
    new Set([
      'TransitRequested by sandbox',
      'TransitCopied by function/transit',
      'DownloadAuthorised by sandbox',
      'TransitDeleted by function/transit',
    ]),
  );
  expect(done.filter((event) => event.startsWith('TransitCopied'))).toHaveLength(1);
  expect(done[0]).toBe('TransitRequested by sandbox');
}, 60_000);

test('many parts are copied at once, and leave no upload', async () => {
  const key = 'cards/large.bin';
  const body = await drop(key, 22 * MIB + 1);
  expect((await get(key)).status).toBe(202);
  const answer = await fetch(await served(key));
  expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  expect(answer.headers.get('etag')).toMatch(/-5"$/);
  expect(answer.headers.get('content-type')).toBe('video/mp4');
  const { Uploads = [] } = await stack.s3.send(new ListMultipartUploadsCommand({ Bucket: variable('SEALDROP_TRANSIT_BUCKET') }));
  expect(Uploads).toEqual([]);
}, 60_000);

test('who asks many times is answered each time, and it is copied once', async () => {
  const key = 'cards/often.bin';
  await drop(key, 2 * MIB);
  const answers = await Promise.all(Array.from({ length: 12 }, () => get(key)));
  for (const { status } of answers) expect([202, 307]).toContain(status);
  await served(key);
  const told = await trail(key);
  expect(told.filter((event) => event.startsWith('TransitCopied'))).toHaveLength(1);
  expect(told.filter((event) => event.startsWith('TransitRequested')).length).toBeGreaterThan(0);
}, 60_000);

test('many who ask at once for many parts get one copy, and nobody hinders another', async () => {
  const key = 'cards/crowd.bin';
  const body = await drop(key, 17 * MIB);
  const asked = Array.from({ length: 4 }, async () => {
    const answer = await fetch(await served(key));
    return Buffer.from(await answer.arrayBuffer()).equals(body);
  });
  expect(await Promise.all(asked)).toEqual([true, true, true, true]);
  const told = await trail(key);
  expect(told.filter((event) => event.startsWith('TransitFailed'))).toEqual([]);
  const { Uploads = [] } = await stack.s3.send(new ListMultipartUploadsCommand({ Bucket: variable('SEALDROP_TRANSIT_BUCKET') }));
  expect(Uploads).toEqual([]);
}, 60_000);

test('a newer version has a copy of its own, an older one is still to be had', async () => {
  const key = 'cards/versions.bin';
  const older = await drop(key, MIB + 1);
  const { headers } = await get(key, { method: 'HEAD' });
  await served(key);
  const newer = await drop(key, MIB + 2);
  expect((await get(key)).status).toBe(202);
  expect(Buffer.from(await (await fetch(await served(key))).arrayBuffer()).equals(newer)).toBe(true);
  const query = `?versionId=${headers.get('x-sealdrop-version-id')}`;
  expect(Buffer.from(await (await fetch(await served(key, query))).arrayBuffer()).equals(older)).toBe(true);
}, 60_000);

test('nobody gets there without the right, nor where policy.yml does not allow it', async () => {
  const key = 'cards/closed.bin';
  await drop(key, 2 * MIB);
  await drop('vault/closed.bin', 2 * MIB);
  const token = await stack.sandbox.issueToken({ sub: 'stranger', groups: ['others'] });
  const asked = [await get(key, { token }), await get('cards/none.bin', { token })];
  expect(await Promise.all(asked.map(async (answer) => [answer.status, ((await answer.json()) as { code: string }).code]))).toEqual([
    [403, 'forbidden'],
    [403, 'forbidden'],
  ]);
  expect(await trail(key)).toEqual(['DownloadDenied by stranger']);
  const refused = [await get('vault/closed.bin'), await get(key, { query: '?redirect=never' })];
  expect(await Promise.all(refused.map(async (answer) => ((await answer.json()) as { code: string }).code))).toEqual([
    'use-ranges',
    'use-ranges',
  ]);
}, 60_000);

test.each(['encrypt', 'audit', 'list', null])('%s cannot read a copy', async (name) => {
  const [Key = ''] = await copies();
  const read = s3As(name).send(new GetObjectCommand({ Bucket: variable('SEALDROP_TRANSIT_BUCKET'), Key }));
  await expect(read).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('transit itself opens nothing that lies under the key of the stack elsewhere', async () => {
  await stack.drop('reports/1.txt', 'for others');
  await stack.settled();
  const answer = await get('reports/1.txt', { method: 'HEAD' });
  expect(answer.headers.get('x-sealdrop-encryption')).toBe('sse-kms');
  const VersionId = answer.headers.get('x-sealdrop-version-id') ?? '';
  const read = s3As('transit').send(new GetObjectCommand({ Bucket: stack.targetBucket, Key: 'reports/1.txt', VersionId }));
  await expect(read).rejects.toMatchObject({ name: 'AccessDenied', message: expect.stringContaining('kms:Decrypt') });
}, 60_000);

test('a disabled key is told by name, to those who operate it and in the trail', async () => {
  const key = 'cards/unlucky.bin';
  await drop(key, 2 * MIB);
  const KeyId = variable('SEALDROP_KMS_KEY_ARN');
  await stack.kms.send(new DisableKeyCommand({ KeyId }));
  try {
    expect((await get(key)).status).toBe(202);
    const letters: Message[] = [];
    await until('a dead letter', async () => {
      const receive = new ReceiveMessageCommand({
        QueueUrl: variable('SEALDROP_TRANSIT_DEAD_LETTER_QUEUE_URL'),
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 0,
      });
      letters.push(...((await stack.sqs.send(receive)).Messages ?? []));
      return letters.length > 0;
    });
    const attributes = letters[0]?.MessageAttributes ?? {};
    expect(attributes.code?.StringValue).toBe('kms-key-disabled');
    expect(attributes.key?.StringValue).toBe(key);
    expect(attributes.nextStep?.StringValue).toContain('Enable the KMS key');
    expect(JSON.parse(letters[0]?.Body ?? '')).toMatchObject({ kind: 'transit', version: 1, key });
    expect(await sealdrop('failures', '--queue', 'transit')).toMatchObject({
      failures: [{ code: 'kms-key-disabled', count: 1, objects: [{ bucket: stack.targetBucket, key }] }],
    });
    expect((await events(key)).at(-1)).toMatchObject({ action: 'TransitFailed', outcome: 'failure', code: 'kms-key-disabled' });
  } finally {
    await stack.kms.send(new EnableKeyCommand({ KeyId }));
  }
}, 60_000);
