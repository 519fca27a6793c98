/** The shipped stack in the sandbox, with ordinary clients, for tests that go all the way. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { type StackClients, stackClients } from '../../local/clients.ts';
import { drained } from '../../local/queues.ts';
import { LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { canariesBelow, formsOfKey, formsOfToken } from '../hostile/canary-search.ts';
import { checkDescribed } from './described.ts';

const PROJECT = join(import.meta.dirname, '../..');
const PATIENCE_MS = 25_000;
const KEY_BYTES = 32;

export interface LocalStack {
  sandbox: Sandbox;
  dataDir: string;
  env: Record<string, string>;
  s3: StackClients['s3'];
  kms: StackClients['kms'];
  sqs: StackClients['sqs'];
  secrets: StackClients['secrets'];
  ingestBucket: string;
  targetBucket: string;
  /** Puts an object into the ingest bucket. */
  drop(key: string, body: string | Uint8Array, more?: Partial<PutObjectCommandInput>): Promise<{ versionId: string | undefined }>;
  /** Until the ingest queue is empty and nothing is being worked on. */
  settled(): Promise<void>;
  /** Receives and deletes what lies in the dead-letter queue; waits for at least `count`. */
  takeDeadLetters(count: number): Promise<Message[]>;
  /** Sends a message to the ingest queue. */
  enqueue(body: string): Promise<void>;
  /** The API, with a token of the readers' group unless another is given (`null`: none). Throws where an answer is not as it is described. */
  api(
    path: string,
    options?: { method?: string; token?: string | null; headers?: Record<string, string>; body?: string },
  ): Promise<Response>;
  get(key: string, options?: { method?: string; token?: string | null; headers?: Record<string, string> }): Promise<Response>;
  history(key: string): Promise<Record<string, unknown>[]>;
  /** Throws where the data or the logs of the run show the customer key or the token. */
  stop(): Promise<void>;
  /** Stops the sandbox and starts it again on the same data. */
  restart(): Promise<void>;
}

/**
 * @param policy a policy file of the project
 * @param params over those of every local stack; a bucket that is brought is made by the test, once the stack runs
 * @param parameters CloudFormation's own, over the template's
 * @param prepare what is to be there before the sandbox starts
 */
export async function startLocalStack(
  policy = 'test/e2e/policy.yml',
  params: Record<string, string> = {},
  parameters: Record<string, string> = {},
  prepare: (dataDir: string) => void = () => {},
): Promise<LocalStack> {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: join(PROJECT, policy),
    stage: 'dev',
    params: { ...LOCAL_PARAMS, ...params },
    cacheDir: join(PROJECT, '.build'),
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-e2e-'));
  prepare(dataDir);
  let sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, parameters });
  let env = sandbox.environment();
  let clients = stackClients(env);
  const variable = (name: string) => env[name] ?? '';
  // A secret that is brought is not there yet.
  const customerKey = await clients.customerKey().catch(() => Buffer.alloc(0));
  const wrappingKey = await secretValue(clients, env.SEALDROP_WRAPPING_KEY_SECRET);
  const secrets = [
    ...(wrappingKey.length === KEY_BYTES ? formsOfKey('the wrapping key', wrappingKey) : []),
    ...(customerKey.length === KEY_BYTES ? formsOfKey('the customer key', customerKey) : []),
    ...formsOfToken('the token', variable('SEALDROP_TOKEN')),
  ];

  const stack: LocalStack = {
    get sandbox() {
      return sandbox;
    },
    get env() {
      return env;
    },
    get s3() {
      return clients.s3;
    },
    get kms() {
      return clients.kms;
    },
    get sqs() {
      return clients.sqs;
    },
    get secrets() {
      return clients.secrets;
    },
    dataDir,
    ingestBucket: variable('SEALDROP_INGEST_BUCKET'),
    targetBucket: variable('SEALDROP_TARGET_BUCKET'),
    async drop(key, body, more = {}) {
      const put = new PutObjectCommand({ Bucket: variable('SEALDROP_INGEST_BUCKET'), Key: key, Body: body, ...more });
      return { versionId: (await clients.s3.send(put)).VersionId };
    },
    settled: () => drained(clients, () => {}, PATIENCE_MS),
    async takeDeadLetters(count) {
      const QueueUrl = variable('SEALDROP_DEAD_LETTER_QUEUE_URL');
      const taken: Message[] = [];
      await until(`${count} dead letters`, async () => {
        const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] });
        for (const message of (await clients.sqs.send(receive)).Messages ?? []) {
          taken.push(message);
          await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        }
        return taken.length >= count;
      });
      return taken;
    },
    async enqueue(body) {
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: variable('SEALDROP_QUEUE_URL'), MessageBody: body }));
    },
    async api(path, { method = 'GET', token = variable('SEALDROP_TOKEN'), headers = {}, body } = {}) {
      const answer = await fetch(`${variable('SEALDROP_API_URL')}${path}`, {
        method,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
        headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      });
      await checkDescribed(method, path, answer);
      return answer;
    },
    get: (key, options) => stack.api(`/object?key=${encodeURIComponent(key)}`, options),
    async history(key) {
      const answer = (await (await stack.api(`/audit?key=${encodeURIComponent(key)}`)).json()) as { events: Record<string, unknown>[] };
      return answer.events;
    },
    async stop() {
      await sandbox.stop();
      const { found } = canariesBelow(dataDir, secrets);
      rmSync(dataDir, { recursive: true, force: true });
      if (found.length > 0) throw new Error(`written in the clear: ${found.join('; ')}`);
    },
    async restart() {
      await sandbox.stop();
      sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, parameters });
      env = sandbox.environment();
      clients = stackClients(env);
    },
  };
  return stack;
}

/** As the stack made it, in hex; empty: it has none. */
async function secretValue({ secrets }: StackClients, SecretId: string | undefined): Promise<Buffer> {
  if (SecretId === undefined) return Buffer.alloc(0);
  return Buffer.from((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '', 'hex');
}

/** Asks again until it holds, and fails after a while with what was awaited. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
