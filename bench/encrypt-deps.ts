/** The encrypt use case outside Lambda, over clients that the bench gives it. */

import { readFileSync } from 'node:fs';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ClientConfig, StackClients } from '../local/clients.ts';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { createContinuations } from '../src/continuations.ts';
import { createSealer } from '../src/copy/sealer.ts';
import { createDeadLetters } from '../src/dead-letters.ts';
import { createManagedKey } from '../src/keys/managed-key.ts';
import { createCustomerKeys } from '../src/keys/secret-keys.ts';
import { policyFingerprint } from '../src/policy/fingerprint.ts';
import { loadPolicy } from '../src/policy/load.ts';
import type { ProcessDeps } from '../src/process-ingest.ts';

/** How to reach the services, and perhaps by what. */
export interface BenchConfig extends ClientConfig {
  requestHandler?: NonNullable<S3ClientConfig['requestHandler']>;
}

/** The sandbox's only account. */
const ACCOUNT = '000000000000';

export type BenchTarget = Pick<
  StackClients,
  'targetBucket' | 'auditTable' | 'kmsKeyArn' | 'customerKeySecret' | 'queueUrl' | 'deadLetterQueueUrl'
>;

export function encryptDeps(config: BenchConfig, target: BenchTarget, policyPath: string): ProcessDeps {
  const policy = loadPolicy(readFileSync(policyPath, 'utf8'), policyPath);
  const dynamodb = new DynamoDBClient(config);
  const sqs = new SQSClient(config);
  const s3 = new S3Client(config);
  const kms = new KMSClient(config);
  return {
    s3,
    sqs,
    policy,
    policyFingerprint: policyFingerprint(policy),
    targetBucket: target.targetBucket,
    targetBucketOwner: ACCOUNT,
    ingestBucketOwner: ACCOUNT,
    kmsKeyArn: target.kmsKeyArn,
    managedKeyArn: createManagedKey(kms),
    sealer: createSealer(kms),
    customerKeys: createCustomerKeys({ secretsManager: new SecretsManagerClient(config), secretId: target.customerKeySecret }),
    trail: createAuditTrail(dynamodb, target.auditTable),
    records: createObjectRecords(dynamodb, target.auditTable),
    limits: { partsAboveBytes: 256 * 1024 * 1024, partBytes: 64 * 1024 * 1024 },
    requireVersioning: async () => {},
    continuations: createContinuations(sqs, target.queueUrl),
    deadLetters: createDeadLetters(sqs, target.deadLetterQueueUrl),
    queueUrl: target.queueUrl,
    maxReceiveCount: 5,
    metrics: { add() {}, flush() {} },
    log: { info() {}, warn() {}, error() {} },
  };
}

/** A table of the bench's own: the stack's takes items of its functions alone. @returns its name */
export async function benchTable(config: ClientConfig): Promise<string> {
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
