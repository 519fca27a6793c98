/** Deployments one after the other on the same data. */
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type StackClients, stackClients } from '../../local/clients.ts';
import { drained } from '../../local/queues.ts';
import { LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** Stage `dev` with every encryption. */
export async function deploy(dataDir: string, params: Record<string, string> = {}): Promise<Sandbox> {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: join(PROJECT, 'test/e2e/policy.yml'),
    stage: 'dev',
    params: { ...LOCAL_PARAMS, ...params },
    cacheDir: join(PROJECT, '.build'),
  });
  return startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, stackName: 'sealdrop-dev' });
}

/** Drops a file that holds its own key, and waits until it is encrypted. */
export async function work(sandbox: Sandbox, Key: string): Promise<StackClients> {
  const clients = stackClients(sandbox.environment());
  await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key, Body: Key }));
  await drained(clients);
  return clients;
}

/** What the API answers. */
export async function read(sandbox: Sandbox, key: string): Promise<string> {
  const authorization = `Bearer ${sandbox.environment().SEALDROP_TOKEN}`;
  return (await fetch(`${sandbox.apiUrl}/objects/${key}`, { headers: { authorization } })).text();
}
