/** S3, KMS and DynamoDB of the sandbox behind their real wire, without a stack: buckets, a table, and the events of the ingest buckets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutBucketEncryptionCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { REGION } from '../../sandbox/account.ts';
import { openDynamoDb } from '../../sandbox/dynamodb/dynamodb.ts';
import type { Judge } from '../../sandbox/iam/judge.ts';
import { openKms } from '../../sandbox/kms/kms.ts';
import { openS3 } from '../../sandbox/s3/index.ts';
import { openState } from '../../sandbox/state.ts';
import { openCredentials } from '../../sandbox/wire/credentials.ts';
import { createAwsServer } from '../../sandbox/wire/server.ts';

export const VERSIONED = 'ingest-versioned';
export const UNVERSIONED = 'ingest-unversioned';
export const TARGET = 'target';
export const TABLE = 'audit';
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:events';

/** Rights have tests of their own. */
const everybody: Judge = { decide: () => ({ allowed: true }), allows: () => true, require: () => {} };

/** So that objects of a hundred bytes go by parts. */
const LIMITS = { minPartBytes: 1, minRangeSourceBytes: 0 };

export interface Services extends AsyncDisposable {
  keyArn: string;
  /** Events of the ingest buckets that nobody has taken, as S3 sent them. */
  takeEvents(): string[];
  s3(): S3Client;
  dynamodb(): DynamoDBClient;
}

export async function openServices(): Promise<Services> {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-order-'));
  const state = openState(folder);
  const keys = openKms(state);
  const dynamodb = openDynamoDb(state);
  let events: string[] = [];
  const s3 = openS3({ state, keys, judge: everybody, limits: LIMITS, notify: (_arn, body) => void events.push(body) });
  const credentials = openCredentials(state);
  const server = createAwsServer({ credentials, services: { s3, kms: keys, dynamodb } });
  const { url } = await server.listen(0);
  const { accessKeyId, secretAccessKey } = credentials.administrator();
  const config = { endpoint: url, region: REGION, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true };
  const clients: { destroy(): void }[] = [];
  const kept = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };

  const admin = kept(new S3Client(config));
  for (const Bucket of [VERSIONED, UNVERSIONED, TARGET]) {
    await admin.send(new CreateBucketCommand({ Bucket }));
    if (Bucket !== UNVERSIONED) {
      await admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    }
  }
  const Rules = [
    {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const },
      BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] },
    },
  ];
  await admin.send(new PutBucketEncryptionCommand({ Bucket: TARGET, ServerSideEncryptionConfiguration: { Rules } }));
  for (const bucket of [VERSIONED, UNVERSIONED]) {
    s3.putBucketNotification(bucket, { QueueConfigurations: [{ Events: ['s3:ObjectCreated:*'], QueueArn: QUEUE }] });
  }
  events = [];
  await kept(new DynamoDBClient(config)).send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const { KeyMetadata } = await kept(new KMSClient(config)).send(new CreateKeyCommand({}));
  return {
    keyArn: KeyMetadata?.Arn ?? '',
    takeEvents: () => events.splice(0),
    s3: () => kept(new S3Client(config)),
    dynamodb: () => kept(new DynamoDBClient(config)),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await server.close();
      await dynamodb.close();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
