/** The shipped stack with something in every place, and clients that act as one function each. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { stackClients } from '../../local/clients.ts';
import { ADMINISTRATOR_ARN } from '../../sandbox/account.ts';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';

export const FUNCTIONS = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** Who asks. */
export type Caller = FunctionName | 'administrator';

export interface Clients {
  s3: S3Client;
  kms: KMSClient;
  secrets: SecretsManagerClient;
  sqs: SQSClient;
  dynamodb: DynamoDBClient;
  lambda: LambdaClient;
  iam: IAMClient;
}

export const QUEUES = ['ingest', 'ingest dead letters', 'target events', 'target events dead letters', 'notices dead letters'] as const;
export type QueueName = (typeof QUEUES)[number];

/** What stands where, so that a refusal is never for want of something to refuse. */
export interface World {
  stack: LocalStack;
  buckets: Record<'ingest' | 'target' | 'audit' | 'stranger', string>;
  queues: Record<QueueName, string>;
  table: string;
  stackKey: string;
  /** Of alarms and the audit bucket. */
  operationsKey: string;
  otherKey: string;
  secret: string;
  wrappingSecret: string;
  otherSecret: string;
  customerKey: Buffer;
  /** Version ids by `bucket/key`. */
  versions: ReadonlyMap<string, string>;
  as(caller: Caller): Clients;
  /** Of a function's role, or of the administrator. */
  principalArn(caller: Caller): string;
  administrator: Clients;
}

/** Objects of the target bucket, by how the policy stores what is under their prefix. */
export const TARGET_KEYS = { 'sse-s3': 's3/known.txt', 'sse-kms': 'bucket-key/known.txt', 'sse-c': 'customer/known.txt' } as const;
export const PLAIN_KEY = 'known.txt';

/** @param policy a policy file of the project, with the rules of `TARGET_KEYS` */
export async function openWorld(policy?: string): Promise<World> {
  const stack = await startLocalStack(policy);
  const { env } = stack;
  const variable = (name: string) => env[name] ?? '';
  const connect = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): Clients => {
    // A throttled or refused call is not repeated: one question, one answer.
    const config = { endpoint: variable('AWS_ENDPOINT_URL'), region: variable('AWS_REGION'), credentials, maxAttempts: 1 };
    return {
      s3: new S3Client({ ...config, forcePathStyle: true }),
      kms: new KMSClient(config),
      secrets: new SecretsManagerClient(config),
      sqs: new SQSClient(config),
      dynamodb: new DynamoDBClient(config),
      lambda: new LambdaClient(config),
      iam: new IAMClient(config),
    };
  };
  const administrator = connect(stack.sandbox.credentials);
  const stackName = variable('SEALDROP_STACK');
  const clients = new Map(FUNCTIONS.map((name) => [name, connect(stack.sandbox.functionCredentials(`${stackName}-${name}`))]));
  const customerKey = await stackClients(env).customerKey();

  const buckets = {
    ingest: stack.ingestBucket,
    target: stack.targetBucket,
    audit: variable('SEALDROP_AUDIT_BUCKET'),
    stranger: 'a-bucket-of-somebody-else',
  };
  await administrator.s3.send(new CreateBucketCommand({ Bucket: buckets.stranger }));
  const { KeyMetadata } = await administrator.kms.send(new CreateKeyCommand({}));
  const { ARN: otherSecret = '' } = await administrator.secrets.send(
    new CreateSecretCommand({ Name: 'a-secret-of-somebody-else', SecretString: 'x' }),
  );

  const known = [
    { Bucket: buckets.audit, Key: PLAIN_KEY },
    { Bucket: buckets.stranger, Key: PLAIN_KEY },
    { Bucket: buckets.target, Key: TARGET_KEYS['sse-s3'] },
  ];
  const versioned = { Bucket: buckets.stranger, VersioningConfiguration: { Status: 'Enabled' as const } };
  await administrator.s3.send(new PutBucketVersioningCommand(versioned));
  for (const at of known.slice(0, 2)) await administrator.s3.send(new PutObjectCommand({ ...at, Body: 'known' }));
  const versions = new Map<string, string>();
  // The version's name outlives a source that is deleted.
  versions.set(`${buckets.ingest}/${PLAIN_KEY}`, (await stack.drop(PLAIN_KEY, 'known')).versionId ?? '');
  for (const key of Object.values(TARGET_KEYS)) await stack.drop(key, 'known');
  await stack.settled();
  for (const at of known) {
    const { VersionId } = await administrator.s3.send(new HeadObjectCommand(at));
    if (VersionId === undefined) throw new Error(`${at.Bucket} has no versions`);
    versions.set(`${at.Bucket}/${at.Key}`, VersionId);
  }

  return {
    stack,
    buckets,
    queues: {
      ingest: variable('SEALDROP_QUEUE_URL'),
      'ingest dead letters': variable('SEALDROP_DEAD_LETTER_QUEUE_URL'),
      'target events': variable('SEALDROP_TARGET_EVENTS_QUEUE_URL'),
      'target events dead letters': variable('SEALDROP_TARGET_EVENTS_DEAD_LETTER_QUEUE_URL'),
      'notices dead letters': variable('SEALDROP_QUEUE_URL').replace('-ingest-', '-notices-dead-letters-'),
    },
    table: variable('SEALDROP_AUDIT_TABLE'),
    stackKey: variable('SEALDROP_KMS_KEY_ARN'),
    operationsKey: await defaultKeyOf(administrator.s3, buckets.audit),
    otherKey: KeyMetadata?.Arn ?? '',
    secret: variable('SEALDROP_CUSTOMER_KEY_SECRET'),
    wrappingSecret: variable('SEALDROP_WRAPPING_KEY_SECRET'),
    otherSecret,
    customerKey,
    versions,
    as(name) {
      const found = name === 'administrator' ? administrator : clients.get(name);
      if (found === undefined) throw new Error(`no clients for ${name}`);
      return found;
    },
    principalArn: (caller) =>
      caller === 'administrator' ? ADMINISTRATOR_ARN : stack.sandbox.services.functions.get(`${stackName}-${caller}`).roleArn,
    administrator,
  };
}

async function defaultKeyOf(s3: S3Client, Bucket: string): Promise<string> {
  const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  const [rule] = ServerSideEncryptionConfiguration?.Rules ?? [];
  return rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID ?? '';
}
