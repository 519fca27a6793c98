/** Memory of the function's own work while 256 MiB flow through it: the read use case in this process, against the sandbox. */
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { DemoClients } from '../cli/demo/clients.ts';
import { waitUntilEncrypted } from '../cli/demo/drop.ts';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createCustomerKeys } from '../src/keys/customer-keys.ts';
import { readObject } from '../src/read-object.ts';
import type { BenchTarget, ClientConfig } from './encrypt-deps.ts';
import { compared, type Figure } from './measure.ts';

const BYTES = 256 * 1024 * 1024;
const KEY = 'cards/256-mib';
const MIB = 1024 * 1024;

export async function benchMemory(clients: DemoClients, config: ClientConfig, target: BenchTarget): Promise<Figure[]> {
  await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: KEY, Body: Buffer.alloc(BYTES, randomBytes(MIB)) }));
  await waitUntilEncrypted(1, clients, () => {});
  const deps = {
    s3: new S3Client(config),
    targetBucket: target.targetBucket,
    records: createObjectRecords(new DynamoDBClient(config), target.table),
    customerKeys: createCustomerKeys({ secretsManager: new SecretsManagerClient(config), secretId: target.secretId }),
    maxBodyBytes: BYTES,
  };
  // The upload's buffer must not count.
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const { object } = await readObject({ key: KEY, purpose: 'read' }, deps);
  let flowed = 0;
  let most = before;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      flowed += chunk.length;
      most = Math.max(most, process.memoryUsage.rss());
      done();
    },
  });
  if (object.body !== null) await pipeline(object.body, sink);
  if (flowed !== BYTES) throw new Error(`only ${flowed} of ${BYTES} bytes came`);
  return [compared('memory', 'the function at most while 256 MiB flow', 'MiB', most / MIB, { what: 'before', value: before / MIB })];
}
