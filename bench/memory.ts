/** Memory of the function's own work while 256 MiB flow through it: the read use case in this process, against the sandbox. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import { drained } from '../local/queues.ts';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createOpenedWith } from '../src/keys/opened-with.ts';
import { createCustomerKeys } from '../src/keys/secret-keys.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { readObject } from '../src/read-object.ts';
import { compared, type Figure } from './measure.ts';

const BYTES = 256 * 1024 * 1024;
const KEY = 'cards/256-mib';
const MIB = 1024 * 1024;

/** @param policyPath of the stack that runs */
export async function benchMemory(clients: StackClients, policyPath: string): Promise<Figure[]> {
  const Body = Readable.from(chunks(), { objectMode: false });
  await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: KEY, Body, ContentLength: BYTES }));
  await drained(clients);
  const deps = {
    s3: clients.s3,
    targetBucket: clients.targetBucket,
    targetBucketOwner: '000000000000',
    records: createObjectRecords(new DynamoDBClient(clients.config), clients.auditTable),
    customerKeys: createCustomerKeys({ secretsManager: clients.secrets, secretId: clients.customerKeySecret }),
    openedWith: createOpenedWith(),
    policy: loadPolicy(readFileSync(policyPath, 'utf8'), policyPath),
  };
  // What the upload left must not count.
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const read = await readObject({ key: KEY, purpose: 'read', range: null }, deps);
  if (read === null) throw new Error('the whole object is no range of it');
  const { object } = read;
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

function* chunks() {
  const chunk = randomBytes(MIB);
  for (let at = 0; at < BYTES; at += MIB) yield chunk;
}
