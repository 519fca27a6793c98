/** The shipped stack in the sandbox, made small and impatient: few bytes are many parts, and the dead come back within seconds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeMessageVisibilityCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type StackClients, stackClients } from '../../local/clients.ts';
import { LOCAL_PARAMS, packageStack } from '../../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { openKeyStore } from '../../sandbox/kms/key-store.ts';
import { openState } from '../../sandbox/state.ts';
import { type Call, watchCalls } from './calls.ts';
import { type Delivery, type Fate, fateOf, type Invocation, watchDeliveries } from './deliveries.ts';
import { leap } from './leap.ts';
import { PART_BYTES, PARTS_ABOVE_BYTES } from './plan.ts';
import { FLAKY_KEY_ID, LOST_KEY_ID, SEALING_KEY_ID } from './stored-as.ts';

const PROJECT = join(import.meta.dirname, '../..');
const POLICY = 'test/chaos/policy.yml';
const ENCRYPT = 'sealdrop-dev-encrypt';

export interface World {
  sandbox: Sandbox;
  clients: StackClients;
  dataDir: string;
  /** Of encrypt, so far. */
  invocations: Invocation[];
  /** Of encrypt, so far. */
  calls: Call[];
  /** What functions printed, by function. */
  logs: { name: string; text: string }[];
  /** Makes messages visible that met this fate more than `seconds` ago, so that nobody waits for minutes. */
  bringBack(fate: Fate, seconds: number): Promise<void>;
  /** Lets a quarter of an hour pass. Only while nobody is at work. */
  leap(): Promise<void>;
  /**
   * The function's environments end with what they do, and the next invocation is a cold start.
   * @param timeoutSeconds default: as before
   */
  renewFunction(timeoutSeconds?: number): void;
  stop(options?: { keep?: boolean }): Promise<void>;
}

export interface WorldOptions {
  /** How long a killed invocation hides its messages. */
  visibilitySeconds: number;
  /** Of encrypt; it stops itself a minute before. */
  timeoutSeconds?: number;
  policy?: string;
  /** Objects above it are copied in parts. */
  partsAboveBytes?: number;
}

export async function openWorld({
  visibilitySeconds,
  timeoutSeconds,
  policy = POLICY,
  partsAboveBytes = PARTS_ABOVE_BYTES,
}: WorldOptions): Promise<World> {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: join(PROJECT, policy),
    stage: 'dev',
    params: LOCAL_PARAMS,
    cacheDir: join(PROJECT, '.build'),
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-chaos-'));
  const forget = () => rmSync(dataDir, { recursive: true, force: true });
  // However it ends: the folder holds keys beside what they protect.
  process.once('exit', forget);
  makeKeys(dataDir);
  const logs: World['logs'] = [];
  const sandbox = await startSandbox({
    dataDir,
    port: 0,
    apiPort: 0,
    artifacts,
    parameters: { PartsAboveBytes: String(partsAboveBytes), PartBytes: String(PART_BYTES) },
    // Slow calls hold up whole batches: others go on meanwhile.
    limits: { s3: { minPartBytes: PART_BYTES, minRangeSourceBytes: 0 }, maxConsumers: 8 },
    log: (name, text) => logs.push({ name, text }),
  });
  const clients = stackClients(sandbox.environment());
  const { functions } = sandbox.services;
  const invocations = watchDeliveries(functions, ENCRYPT);
  if (timeoutSeconds !== undefined) functions.put({ ...functions.get(ENCRYPT), timeoutSeconds });
  await clients.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: clients.queueUrl, Attributes: { VisibilityTimeout: String(visibilitySeconds) } }),
  );
  return {
    sandbox,
    clients,
    dataDir,
    invocations,
    calls: watchCalls(sandbox.faults, ENCRYPT),
    logs,
    bringBack: createBringBack(invocations, clients),
    leap: () => leap(clients, sandbox, dataDir, ENCRYPT),
    renewFunction(seconds) {
      const now = functions.get(ENCRYPT);
      functions.put({ ...now, timeoutSeconds: seconds ?? now.timeoutSeconds, description: `renewed at ${performance.now()}` });
    },
    async stop({ keep = false } = {}) {
      await sandbox.stop();
      process.removeListener('exit', forget);
      if (!keep) forget();
    },
  };
}

/** With ids that the policy names, before there is a stack. */
function makeKeys(dataDir: string): void {
  const state = openState(dataDir);
  const keys = openKeyStore(state);
  for (const id of [FLAKY_KEY_ID, LOST_KEY_ID, SEALING_KEY_ID])
    keys.create({ id, description: 'of the chaos run', tags: '[]', manager: 'CUSTOMER' });
  state.close();
}

function createBringBack(invocations: Invocation[], { sqs, queueUrl }: StackClients): World['bringBack'] {
  const brought = new Set<string>();
  return async (fate, seconds) => {
    const latest = new Map<string, Delivery>();
    for (const { deliveries } of invocations) for (const delivery of deliveries) latest.set(delivery.messageId, delivery);
    const before = Date.now() - seconds * 1000;
    for (const delivery of latest.values()) {
      const { receiptHandle, invocation } = delivery;
      if (brought.has(receiptHandle) || fateOf(delivery) !== fate || invocation.ended === null || invocation.ended > before) continue;
      brought.add(receiptHandle);
      const change = new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 });
      // It may have come back by itself, or be a dead letter.
      await sqs.send(change).catch(() => {});
    }
  };
}
