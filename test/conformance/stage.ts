/** Clients of one server, and things on it that expectations use; everything that is made here is removed at the end. */
import { randomBytes, randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutBucketEncryptionCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, type QueueAttributeName, SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { removeBucket } from './remove-bucket.ts';

/** Where the server is, and who asks. Without an endpoint: AWS. */
export interface Target {
  endpoint?: string;
  region: string;
  /** Absent: the SDK's usual ways. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

export interface Stage {
  s3: S3Client;
  kms: KMSClient;
  secrets: SecretsManagerClient;
  sqs: SQSClient;
  dynamodb: DynamoDBClient;
  sts: STSClient;
  /** A name or key that nothing else has. */
  unique(what?: string): string;
  /** A bucket that all share, SSE-C allowed; put only keys that are `unique` into it. */
  bucket(): Promise<string>;
  /** The same with versioning. */
  versionedBucket(): Promise<string>;
  /** A new bucket, as S3 makes it. */
  newBucket(): Promise<string>;
  /** The ARN of a key that all share. */
  keyArn(): Promise<string>;
  /** The id of a new key. */
  newKey(): Promise<string>;
  newQueue(attributes?: Partial<Record<QueueAttributeName, string>>): Promise<{ url: string; arn: string }>;
  /** A table with the string keys `pk` and `sk` that all share; put only a `unique` pk into it. */
  table(): Promise<string>;
  /** The same, new. */
  newTable(): Promise<string>;
  /** The ARN of a new secret. */
  newSecret(value?: string): Promise<string>;
  account(): Promise<string>;
  /** Runs at the end, newest first; failures are gathered, not hidden. */
  atEnd(clean: () => Promise<unknown>): void;
  /** Removes what was made. @throws AggregateError of what could not be removed */
  close(): Promise<void>;
}

export const SSE_C_ALLOWED = { Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] } }] };

export function openStage({ endpoint, region, credentials }: Target): Stage {
  // A server that hangs must not hold up the others' answers; every refusal is to be seen, not retried.
  const config = {
    region,
    maxAttempts: endpoint === undefined ? 3 : 1,
    requestHandler: { requestTimeout: 30_000, connectionTimeout: 5_000, throwOnRequestTimeout: true },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  };
  const s3 = new S3Client({ ...config, forcePathStyle: endpoint !== undefined });
  const kms = new KMSClient(config);
  const secrets = new SecretsManagerClient(config);
  const sqs = new SQSClient(config);
  const dynamodb = new DynamoDBClient(config);
  const sts = new STSClient(config);
  const cleaners: (() => Promise<unknown>)[] = [];
  const atEnd: Stage['atEnd'] = (clean) => void cleaners.push(clean);
  const run = randomBytes(4).toString('hex');
  const unique: Stage['unique'] = (what = 'it') => `conformance-${what}-${run}-${randomUUID().slice(0, 8)}`;

  const stage: Stage = {
    s3,
    kms,
    secrets,
    sqs,
    dynamodb,
    sts,
    unique,
    atEnd,
    bucket: once(() => openBucket(false)),
    versionedBucket: once(() => openBucket(true)),
    async newBucket() {
      const Bucket = unique('bucket');
      await s3.send(new CreateBucketCommand({ Bucket, ...locationOf(region) }));
      atEnd(() => removeBucket(s3, Bucket));
      return Bucket;
    },
    keyArn: once(async () => (await createKey()).Arn ?? ''),
    newKey: async () => (await createKey()).KeyId ?? '',
    async newQueue(Attributes = {}) {
      const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: unique('queue'), Attributes }));
      atEnd(() => sqs.send(new DeleteQueueCommand({ QueueUrl: url })));
      const told = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }));
      return { url, arn: told.Attributes?.QueueArn ?? '' };
    },
    table: once(() => stage.newTable()),
    async newTable() {
      const TableName = unique('table');
      const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
      await dynamodb.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [attribute('pk'), attribute('sk')],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        }),
      );
      atEnd(() => dynamodb.send(new DeleteTableCommand({ TableName })));
      await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60, minDelay: 1 }, { TableName });
      return TableName;
    },
    async newSecret(SecretString = 'first') {
      const { ARN = '' } = await secrets.send(new CreateSecretCommand({ Name: unique('secret'), SecretString }));
      atEnd(() => secrets.send(new DeleteSecretCommand({ SecretId: ARN, ForceDeleteWithoutRecovery: true })));
      return ARN;
    },
    account: once(async () => (await stage.keyArn()).split(':')[4] ?? ''),
    async close() {
      const failures: unknown[] = [];
      for (const clean of cleaners.splice(0).reverse()) await clean().catch((error: unknown) => failures.push(error));
      for (const client of [s3, kms, secrets, sqs, dynamodb, sts]) client.destroy();
      if (failures.length > 0) throw new AggregateError(failures, `${failures.length} things could not be removed`);
    },
  };
  return stage;

  async function openBucket(versioned: boolean): Promise<string> {
    const Bucket = await stage.newBucket();
    await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: SSE_C_ALLOWED }));
    if (versioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    return Bucket;
  }

  async function createKey() {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'conformance, may be deleted' }));
    if (KeyMetadata === undefined) throw new Error('CreateKey told nothing of the key');
    atEnd(() => kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata.KeyId, PendingWindowInDays: 7 })).catch(ignorePending));
    return KeyMetadata;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** us-east-1 is told by silence: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
function locationOf(region: string): object {
  return region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } };
}

function ignorePending(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'KMSInvalidStateException') throw error;
}
