/** Ordinary clients of a stack that runs in the sandbox, from what `<data>/env` tells anyone. */
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

/** What every client needs to reach the stack. */
export interface ClientConfig {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

export interface StackClients {
  config: ClientConfig;
  s3: S3Client;
  kms: KMSClient;
  sqs: SQSClient;
  secrets: SecretsManagerClient;
  ingestBucket: string;
  targetBucket: string;
  auditTable: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  kmsKeyArn: string;
  customerKeySecret: string;
  /** `null`: no rule asks for a wrapping key. */
  wrappingKeySecret: string | null;
  apiUrl: string;
  /** Of a member of the readers' group. */
  token: string;
  /** The SSE-C key as an administrator reads it from its secret. */
  customerKey(): Promise<Buffer>;
}

/** @throws an error that names the variable that is missing */
export function stackClients(environment: Record<string, string>): StackClients {
  const value = (name: string): string => {
    const found = environment[name];
    if (found === undefined) throw new Error(`the sandbox does not say ${name}`);
    return found;
  };
  const config = {
    endpoint: value('AWS_ENDPOINT_URL'),
    region: value('AWS_REGION'),
    credentials: { accessKeyId: value('AWS_ACCESS_KEY_ID'), secretAccessKey: value('AWS_SECRET_ACCESS_KEY') },
  };
  const secrets = new SecretsManagerClient(config);
  const customerKeySecret = value('SEALDROP_CUSTOMER_KEY_SECRET');
  return {
    config,
    s3: new S3Client(config),
    kms: new KMSClient(config),
    sqs: new SQSClient(config),
    secrets,
    ingestBucket: value('SEALDROP_INGEST_BUCKET'),
    targetBucket: value('SEALDROP_TARGET_BUCKET'),
    auditTable: value('SEALDROP_AUDIT_TABLE'),
    queueUrl: value('SEALDROP_QUEUE_URL'),
    deadLetterQueueUrl: value('SEALDROP_DEAD_LETTER_QUEUE_URL'),
    kmsKeyArn: value('SEALDROP_KMS_KEY_ARN'),
    customerKeySecret,
    wrappingKeySecret: environment.SEALDROP_WRAPPING_KEY_SECRET ?? null,
    apiUrl: value('SEALDROP_API_URL'),
    token: value('SEALDROP_TOKEN'),
    async customerKey() {
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: customerKeySecret }));
      return Buffer.from(SecretString, 'hex');
    },
  };
}
