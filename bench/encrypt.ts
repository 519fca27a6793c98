/** Objects per second of the encrypt use case against a script that only calls CopyObject. */

import { randomBytes } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import { type EventMessage, type ObjectRef, parseIngestEvent } from '../src/events/index.ts';
import { processIngest } from '../src/process-ingest.ts';
import { encryptDeps } from './encrypt-deps.ts';
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
  const etags: string[] = [];
  await timed(count, PARALLEL, async (index) => {
    const put = new PutObjectCommand({ Bucket: sourceBucket, Key: `bench/${index}`, Body: randomBytes(OBJECT_BYTES) });
    etags[index] = (await s3.send(put)).ETag?.replaceAll('"', '') ?? '';
  });

  await s3.send(new CreateBucketCommand({ Bucket: TARGET_BUCKET }));
  const deps = encryptDeps(config, { ...clients, targetBucket: TARGET_BUCKET, auditTable: await benchTable(config) }, policyPath);
  const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) => messages(sourceBucket, etags, batch));

  const bareRates: number[] = [];
  const ourRates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await timed(count, PARALLEL, (index) =>
      s3.send(
        new CopyObjectCommand({
          Bucket: TARGET_BUCKET,
          Key: `bench/${index}`,
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

/** The stack's own table takes items of its functions alone. */
async function benchTable(config: StackClients['config']): Promise<string> {
  const TableName = 'bench';
  await new DynamoDBClient(config).send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  return TableName;
}

function messages(bucket: string, etags: string[], batch: number): EventMessage<ObjectRef>[] {
  const Records = etags.slice(batch * BATCH, (batch + 1) * BATCH).map((eTag, offset) => {
    const index = batch * BATCH + offset;
    const object = { key: `bench/${index}`, size: OBJECT_BYTES, eTag, sequencer: (index + 1).toString(16).padStart(16, '0') };
    const record = {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      eventTime: '2026-01-01T00:00:00.000Z',
      s3: { bucket: { name: bucket }, object },
    };
    return { eventSource: 'aws:sqs', messageId: String(index), receiptHandle: 'none', body: JSON.stringify({ Records: [record] }) };
  });
  return parseIngestEvent({ Records });
}
