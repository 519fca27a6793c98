/** Objects per second of the encrypt use case against a script that only calls CopyObject. */

import { randomBytes } from 'node:crypto';
import { CopyObjectCommand, CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import { processIngest } from '../src/process-ingest.ts';
import { benchTable, encryptDeps } from './encrypt-deps.ts';
import { type DroppedObject, ingestMessages } from './ingest-messages.ts';
import { compared, type Figure, median, timed } from './measure.ts';

const OBJECT_BYTES = 10 * 1024;
const BATCH = 10;
const PARALLEL = 32;
const ROUNDS = 5;
const SCENARIO = 'encrypt';
const TARGET_BUCKET = 'bench-target';

/** @param sourceBucket a bucket without notifications, so that only the bench copies from it; what it copies to has none either */
export async function benchEncrypt(clients: StackClients, sourceBucket: string, count: number, policyPath: string): Promise<Figure[]> {
  const { s3, config } = clients;
  const sources: DroppedObject[] = [];
  await timed(count, PARALLEL, async (index) => {
    const key = `bench/${index}`;
    const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: sourceBucket, Key: key, Body: randomBytes(OBJECT_BYTES) }));
    sources[index] = { bucket: sourceBucket, key, size: OBJECT_BYTES, etag: ETag.replaceAll('"', ''), order: 0 };
  });

  await s3.send(new CreateBucketCommand({ Bucket: TARGET_BUCKET }));
  const deps = encryptDeps(config, { ...clients, targetBucket: TARGET_BUCKET, auditTable: await benchTable(config) }, policyPath);

  const bareRates: number[] = [];
  const ourRates: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    // A state that is recorded is not copied again: each round has the next one.
    const states = sources.map((source) => ({ ...source, order: round }));
    const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) =>
      ingestMessages(states.slice(batch * BATCH, (batch + 1) * BATCH)),
    );
    const bare = await timed(count, PARALLEL, (index) =>
      s3.send(
        new CopyObjectCommand({
          Bucket: TARGET_BUCKET,
          Key: `bare/${index}`,
          CopySource: `${sourceBucket}/bench/${index}`,
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId: clients.kmsKeyArn,
          BucketKeyEnabled: true,
        }),
      ),
    );
    bareRates.push(count / bare.seconds);
    const ours = await timed(batches.length, Math.round(PARALLEL / BATCH), async (batch) => {
      const results = await processIngest(batches[batch] ?? [], deps);
      if (results.some((result) => result.verdict !== 'done'))
        throw new Error(`not encrypted: ${results.find((result) => result.error)?.error?.message}`);
    });
    ourRates.push(count / ours.seconds);
  }
  return [
    compared(SCENARIO, 'encrypt use case, 10 KiB, SSE-KMS', 'objects/s', median(ourRates), {
      what: 'CopyObject alone, same SDK, 32 at once',
      value: median(bareRates),
    }),
  ];
}
