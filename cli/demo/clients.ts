/** The demo's way in: ordinary clients of the stack, with what `<data>/env` would tell anyone. */
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';

export interface DemoClients {
  s3: S3Client;
  sqs: SQSClient;
  ingestBucket: string;
  targetBucket: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  kmsKeyArn: string;
  apiUrl: string;
  token: string;
  /** The SSE-C key as an administrator reads it from its secret. */
  customerKey(): Promise<Buffer>;
}

/** @param environment the variables of DESIGN's `<data>/env` */
export function demoClients(environment: Record<string, string>): DemoClients {
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
  return {
    s3: new S3Client(config),
    sqs: new SQSClient(config),
    ingestBucket: value('SEALDROP_INGEST_BUCKET'),
    targetBucket: value('SEALDROP_TARGET_BUCKET'),
    queueUrl: value('SEALDROP_QUEUE_URL'),
    deadLetterQueueUrl: value('SEALDROP_DEAD_LETTER_QUEUE_URL'),
    kmsKeyArn: value('SEALDROP_KMS_KEY_ARN'),
    apiUrl: value('SEALDROP_API_URL'),
    token: value('SEALDROP_TOKEN'),
    async customerKey() {
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: value('SEALDROP_CUSTOMER_KEY_SECRET') }));
      return Buffer.from(SecretString, 'hex');
    },
  };
}
