/** A deployment that copies small files in parts and deletes their sources, under the functions' own rights. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StackClients, stackClients } from '../../local/clients.ts';
import { drained } from '../../local/queues.ts';
import { LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';

const PROJECT = join(import.meta.dirname, '../..');
const MIB = 1024 ** 2;
/** The least that S3 takes. */
const PART = 5 * MIB;
const FILES = ['s3/large', 'bucket-key/large', 'dsse/large', 'managed/large', 'customer/large'];

const bytes = randomBytes(2 * PART + 1);
const newer = Buffer.from(bytes).reverse();
const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-deleting-'));
let sandbox: Sandbox;
let clients: StackClients;

beforeAll(async () => {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: join(PROJECT, 'test/rights/source-delete.yml'),
    stage: 'dev',
    params: LOCAL_PARAMS,
    cacheDir: join(PROJECT, '.build'),
  });
  const parameters = { PartsAboveBytes: String(PART), PartBytes: String(PART) };
  sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, stackName: 'sealdrop-dev', parameters });
  clients = stackClients(sandbox.environment());
}, 120_000);
afterAll(async () => {
  await sandbox.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const drop = (Key: string, Body: Uint8Array | string) => clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key, Body }));

test('every mode is copied in parts, an overwritten file by its newest state, and no source is left', async () => {
  for (const key of FILES) await drop(key, bytes);
  for (const state of ['first', 'second', 'third']) await drop('bucket-key/small', state);
  await drained(clients);
  // A copy that replaces an ETag.
  await drop('bucket-key/large', newer);
  await drained(clients);

  const { Messages = [] } = await clients.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: sandbox.environment().SEALDROP_DEAD_LETTER_QUEUE_URL, MessageAttributeNames: ['All'] }),
  );
  expect(Messages.map(({ MessageAttributes }) => [MessageAttributes?.key?.StringValue, MessageAttributes?.cause?.StringValue])).toEqual([]);
  for (const key of FILES) {
    const { etag, body } = await read(key);
    expect([key, etag]).toEqual([key, expect.stringMatching(/-3"$/)]);
    expect(body.equals(key === 'bucket-key/large' ? newer : bytes), key).toBe(true);
  }
  expect((await read('bucket-key/small')).body.toString()).toBe('third');
  const uploads = await clients.s3.send(new ListMultipartUploadsCommand({ Bucket: clients.targetBucket }));
  expect(uploads.Uploads ?? []).toEqual([]);
  const { Versions = [], DeleteMarkers = [] } = await clients.s3.send(new ListObjectVersionsCommand({ Bucket: clients.ingestBucket }));
  expect([...Versions, ...DeleteMarkers].map(({ Key }) => Key)).toEqual([]);
}, 120_000);

/** As the break-glass principal. */
async function read(Key: string): Promise<{ etag: string; body: Buffer }> {
  const customer = Key.startsWith('customer/')
    ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: (await clients.customerKey()).toString('base64') }
    : {};
  const { ETag = '', Body } = await clients.s3.send(new GetObjectCommand({ Bucket: clients.targetBucket, Key, ...customer }));
  return { etag: ETag, body: Buffer.from((await Body?.transformToByteArray()) ?? []) };
}
