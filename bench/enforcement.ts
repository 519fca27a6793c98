/** What it costs the sandbox to judge every request, with the policies of the stack that ships. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Artifacts } from '../sandbox/build.ts';
import { openAccess } from '../sandbox/iam/access.ts';
import type { Judge } from '../sandbox/iam/judge.ts';
import { startSandbox } from '../sandbox/index.ts';
import { openKms } from '../sandbox/kms/kms.ts';
import { openS3 } from '../sandbox/s3/index.ts';
import { openState } from '../sandbox/state.ts';
import { openCredentials } from '../sandbox/wire/credentials.ts';
import { createAwsServer } from '../sandbox/wire/server.ts';
import { compared, type Figure, median, timed } from './measure.ts';

const SCENARIO = 'enforcement';
const BODY = Buffer.alloc(10 * 1024, 'sealdrop');
const WARMING_CALLS = 200;
const CALLS = 1500;
/** Under the policy that the project ships, objects of that name are under SSE-S3. */
const KEY = 'bench.public.txt';

const everybody: Judge = { decide: () => ({ allowed: true }), allows: () => true, require: () => {} };

interface Policies {
  bucket: string;
  bucketPolicy: string;
  roleName: string;
  trust: unknown;
  role: Record<string, unknown>;
}

/** @param artifacts of the policy that the project ships */
export async function benchEnforcement(artifacts: Artifacts): Promise<Figure[]> {
  const policies = await policiesOf(artifacts);
  const judged = await serve(policies, true);
  const unjudged = await serve(policies, false);
  try {
    return [
      await compare('PutObject of 10 KiB', judged, unjudged, (s3) =>
        s3.send(new PutObjectCommand({ Bucket: policies.bucket, Key: KEY, Body: BODY, ServerSideEncryption: 'AES256' })),
      ),
      await compare('GetObject of 10 KiB', judged, unjudged, async (s3) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: policies.bucket, Key: KEY }));
        await Body?.transformToByteArray();
      }),
    ];
  } finally {
    await judged.stop();
    await unjudged.stop();
  }
}

/** Call by call in turns, so that a busy machine is busy for both. */
async function compare(what: string, judged: Served, unjudged: Served, call: (s3: S3Client) => Promise<unknown>): Promise<Figure> {
  const time = async ({ s3 }: Served) => (await timed(1, 1, () => call(s3))).latencies[0] ?? 0;
  for (let warming = 0; warming < WARMING_CALLS; warming += 1) await Promise.all([time(judged), time(unjudged)]);
  const times = { judged: [] as number[], unjudged: [] as number[] };
  for (let turn = 0; turn < CALLS; turn += 1) {
    times.judged.push(await time(judged));
    times.unjudged.push(await time(unjudged));
  }
  return compared(SCENARIO, `${what}, judged`, 'ms', median(times.judged), { what: 'judged by nobody', value: median(times.unjudged) });
}

interface Served {
  s3: S3Client;
  stop(): Promise<void>;
}

async function serve({ bucket, bucketPolicy, roleName, trust, role }: Policies, judges: boolean): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-bench-judge-'));
  const state = openState(folder);
  const access = openAccess(state);
  const kms = openKms(state);
  const service = openS3({ state, keys: kms, notify: () => {}, judge: judges ? access.judge : everybody });
  const { arn: roleArn } = access.putRole(roleName, trust, role);
  service.createBucket(bucket);
  service.putBucketPolicy(bucket, bucketPolicy);
  const credentials = openCredentials(state);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials.issueForRole('bench', { roleArn, sessionName: 'bench' });
  const server = createAwsServer({ services: { s3: service, kms }, credentials });
  const { url } = await server.listen(0);
  const s3 = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) },
  });
  return {
    s3,
    async stop() {
      s3.destroy();
      await server.close();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The target bucket's policy as deployed, and a role that may do what encrypt and download may together. */
async function policiesOf(artifacts: Artifacts): Promise<Policies> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-bench-stack-'));
  const sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts });
  try {
    const { services, outputs } = sandbox;
    const bucket = outputs.TargetBucketName ?? '';
    const roleOf = (name: string) => services.access.findRole(services.functions.get(`sealdrop-dev-${name}`).roleArn);
    const [encrypt, download] = [roleOf('encrypt'), roleOf('download')];
    if (encrypt === null || download === null) throw new Error('the stack has no roles');
    const suffixed = Object.entries(encrypt.policies).map(([name, document]) => [`${name}-of-encrypt`, document]);
    return {
      bucket,
      bucketPolicy: services.s3.policy(bucket) ?? '',
      // The bucket's policy lets this role read.
      roleName: download.name,
      trust: download.trustPolicy,
      role: { ...download.policies, ...Object.fromEntries(suffixed) },
    };
  } finally {
    await sandbox.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
