/** The AWS CLI as a client, where it is installed. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, customerKey, openSandbox, type Sandbox, sample } from './sandbox.ts';

const run = promisify(execFile);
const installed = await run('aws', ['--version']).then(
  () => true,
  () => false,
);

describe.runIf(installed)('aws', () => {
  let sandbox: Sandbox;
  let folder = '';
  beforeAll(async () => {
    sandbox = await openSandbox();
    folder = join(sandbox.dir, 'cli');
    mkdirSync(folder);
  });
  afterAll(async () => {
    expect(sandbox.defects).toEqual([]);
    await sandbox[Symbol.asyncDispose]();
  });

  const aws = async (...parameters: string[]) => {
    const { accessKeyId, secretAccessKey } = sandbox.credentials;
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_ENDPOINT_URL: sandbox.url,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    return (await run('aws', parameters, { env })).stdout;
  };

  test('30 MB go up in parts and come down whole', async () => {
    const body = sample(30_000_000, 41);
    const [up, down] = [join(folder, 'up.bin'), join(folder, 'down.bin')];
    writeFileSync(up, body);
    await aws('s3', 'cp', up, `s3://${Bucket}/cli/large.bin`);
    await aws('s3', 'cp', `s3://${Bucket}/cli/large.bin`, down);
    expect(readFileSync(down).equals(body)).toBe(true);
    const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'cli/large.bin' }));
    expect(head.ETag).toMatch(/-4"$/);
  });

  test('SSE-C goes up and down with the key', async () => {
    const key = randomBytes(32);
    const [keyFile, up, down] = [join(folder, 'key'), join(folder, 'secret'), join(folder, 'secret.out')];
    writeFileSync(keyFile, key);
    writeFileSync(up, 'a secret');
    const parameters = ['--sse-c', 'AES256', '--sse-c-key', `fileb://${keyFile}`];
    await aws('s3', 'cp', up, `s3://${Bucket}/cli/secret`, ...parameters);
    await aws('s3', 'cp', `s3://${Bucket}/cli/secret`, down, ...parameters);
    expect(readFileSync(down, 'utf8')).toBe('a secret');
    const head = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'cli/secret', ...customerKey(key) }));
    expect(head.SSECustomerAlgorithm).toBe('AES256');
  });

  test('lists, with a name that needs encoding, and syncs', async () => {
    const source = join(folder, 'tree');
    mkdirSync(join(source, 'sub'), { recursive: true });
    writeFileSync(join(source, 'sub', 'ä +b.txt'), 'x');
    writeFileSync(join(source, 'c.txt'), 'y');
    await aws('s3', 'sync', source, `s3://${Bucket}/tree`);
    const listed = await aws('s3', 'ls', '--recursive', `s3://${Bucket}/tree`);
    expect(listed.split('\n').map((line) => line.slice(31))).toEqual(['tree/c.txt', 'tree/sub/ä +b.txt', '']);
    await aws('s3', 'rm', '--recursive', `s3://${Bucket}/tree`);
    expect(await aws('s3api', 'list-objects-v2', '--no-paginate', '--bucket', Bucket, '--prefix', 'tree/', '--query', 'KeyCount')).toBe(
      '0\n',
    );
  });
});
