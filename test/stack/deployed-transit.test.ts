/** Copies in transit are allowed, and not any more, and again: on the same data. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';
import { startSandbox } from '../../sandbox/index.ts';

const PROJECT = join(import.meta.dirname, '../..');
const WITH = 'test/e2e/transit.yml';
const WITHOUT = 'policy.yml';
const BUCKET = 'sealdrop-dev-transit-000000000000-us-east-1';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-deployed-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** @returns whether there is the bucket, the function and what tells of them */
async function deploy(policy: string, work: (s3: S3Client, transit: () => S3Client, keyArn: string) => Promise<unknown> = async () => {}) {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: join(PROJECT, policy),
    stage: 'dev',
    params: LOCAL_PARAMS,
    cacheDir: join(PROJECT, '.build'),
  });
  const sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, stackName: 'sealdrop-dev' });
  try {
    const config = { endpoint: sandbox.endpoint, region: sandbox.region, forcePathStyle: true };
    const s3 = new S3Client({ ...config, credentials: sandbox.credentials });
    const there = {
      bucket: await s3.send(new HeadBucketCommand({ Bucket: BUCKET })).then(
        () => true,
        () => false,
      ),
      function: sandbox.services.functions.list().some(({ name }) => name === 'sealdrop-dev-transit'),
      outputs: Object.keys(sandbox.outputs).filter((name) => name.startsWith('Transit')).length,
    };
    const transit = () => new S3Client({ ...config, credentials: sandbox.functionCredentials('sealdrop-dev-transit') });
    await work(s3, transit, sandbox.outputs.KeyArn ?? '');
    return there;
  } finally {
    await sandbox.stop();
  }
}

const ALL = { bucket: true, function: true, outputs: 3 };
const NONE = { bucket: false, function: false, outputs: 0 };

test('all of it comes and goes with the entry in policy.yml', async () => {
  const found = [];
  for (const policy of [WITHOUT, WITH, WITHOUT, WITH]) found.push(await deploy(policy));
  expect(found).toEqual([NONE, ALL, NONE, ALL]);
}, 120_000);

test('a bucket with a copy in it stays, and stays shut', async () => {
  await deploy(WITH, (_, transit, SSEKMSKeyId) =>
    transit().send(new PutObjectCommand({ Bucket: BUCKET, Key: '0123', Body: 'a copy', ServerSideEncryption: 'aws:kms', SSEKMSKeyId })),
  );
  let refusal: unknown;
  const left = await deploy(WITHOUT, async (s3) => {
    refusal = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: '0123' })).catch((error: unknown) => error);
  });
  expect(left).toEqual({ ...NONE, bucket: true });
  expect(refusal).toMatchObject({ name: 'AccessDenied' });
}, 120_000);
