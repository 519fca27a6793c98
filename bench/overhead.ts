/** What the encrypt use case costs beyond its AWS calls: CPU with answers that come at once, against the same calls alone. */

import { Readable } from 'node:stream';
import { BatchWriteItemCommand, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { processIngest } from '../src/process-ingest.ts';
import { type BenchConfig, encryptDeps } from './encrypt-deps.ts';
import { ingestMessages } from './ingest-messages.ts';
import { type Figure, median, timed } from './measure.ts';

const BATCH = 10;
const ROUNDS = 7;
const KEY_ARN = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000';
const BUCKET = 'bucket';
const TABLE = 'table';
const ETAG = '0123456789abcdef0123456789abcdef';

export async function benchOverhead(batches: number, policyPath: string): Promise<Figure[]> {
  const calls = new Map<string, number>();
  const config = instantAnswers(calls);
  const target = {
    targetBucket: BUCKET,
    auditTable: TABLE,
    kmsKeyArn: KEY_ARN,
    customerKeySecret: 'secret',
    queueUrl: 'http://127.0.0.1/q',
    deadLetterQueueUrl: 'http://127.0.0.1/d',
  };
  const deps = encryptDeps(config, target, policyPath);
  const messages = ingestMessages(
    Array.from({ length: BATCH }, (_, index) => ({ bucket: 'source', key: `bench/${index}`, size: 10_240, etag: ETAG, order: index + 1 })),
  );
  const s3 = new S3Client(config);
  const dynamodb = new DynamoDBClient(config);

  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    calls.clear();
    const withUs = await timed(batches, 1, async () => {
      const results = await processIngest(messages, deps);
      if (results.some((result) => result.verdict !== 'done')) throw new Error(results.find((result) => result.error)?.error?.message);
    });
    if (round === ROUNDS) break;
    const alone = await timed(batches, 1, () => sameCalls(s3, dynamodb));
    ours.push((withUs.seconds * 1e6) / (batches * BATCH));
    bare.push((alone.seconds * 1e6) / (batches * BATCH));
  }
  const perObject = (service: string) => (calls.get(service) ?? 0) / (batches * BATCH);
  const scenario = 'overhead';
  return [
    {
      scenario,
      what: 'encrypt beyond its AWS calls, an object in a batch of 10',
      unit: 'µs',
      value: median(ours) - median(bare),
      against: {
        what: 'those AWS calls alone (SDK, answers at once)',
        value: median(bare),
        ratio: (median(ours) - median(bare)) / median(bare),
      },
    },
    { scenario, what: 'S3 calls per object, batch of 10', unit: 'calls', value: perObject('s3') },
    { scenario, what: 'DynamoDB calls per object, batch of 10', unit: 'calls', value: perObject('dynamodb') },
    {
      scenario,
      what: 'KMS, Secrets Manager and SQS calls per object, batch of 10',
      unit: 'calls',
      value: perObject('kms') + perObject('secretsmanager') + perObject('sqs'),
    },
  ];
}

async function sameCalls(s3: S3Client, dynamodb: DynamoDBClient): Promise<void> {
  const item = marshall({ pk: 'p', sk: 's', record: { bucket: BUCKET, key: 'k', encryption: { mode: 'sse-kms', keyArn: KEY_ARN } } });
  const copy = {
    Bucket: BUCKET,
    Key: 'k',
    CopySource: 'b/k',
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: KEY_ARN,
    BucketKeyEnabled: true,
  } as const;
  const look = {
    TableName: TABLE,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': { S: 'p' }, ':prefix': { S: 's' } },
    ConsistentRead: true,
  };
  await Promise.all(Array.from({ length: BATCH }, () => dynamodb.send(new QueryCommand(look))));
  const RequestItems = { [TABLE]: Array.from({ length: BATCH }, () => ({ PutRequest: { Item: item } })) };
  // Claims, then after the copies audit events and records.
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
  await Promise.all(Array.from({ length: BATCH }, () => s3.send(new CopyObjectCommand(copy))));
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
}

/** A client configuration whose requests are answered without a network. */
function instantAnswers(calls: Map<string, number>): BenchConfig {
  const copied = `<CopyObjectResult><ETag>"${ETAG}"</ETag></CopyObjectResult>`;
  const copyHeaders = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': KEY_ARN,
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
  };
  return {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: {
      async handle(request: { headers: Record<string, string> }) {
        const service = /\/([a-z0-9]+)\/aws4_request/.exec(request.headers.authorization ?? '')?.[1] ?? 'unknown';
        calls.set(service, (calls.get(service) ?? 0) + 1);
        const [headers, body] = service === 's3' ? [copyHeaders, copied] : [{}, '{}'];
        return { response: { statusCode: 200, headers, body: Readable.from([Buffer.from(body)]) } };
      },
    },
  };
}
