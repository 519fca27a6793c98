/** SDK clients as the environment configures them: on AWS and in the sandbox alike. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';

/** Somebody waits: a service that does not answer is given up soon. */
const REQUEST_HANDLER = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };

export interface Clients {
  cloudformation: CloudFormationClient;
  dynamodb: DynamoDBClient;
  iam: IAMClient;
  kms: KMSClient;
  s3: S3Client;
  secrets: SecretsManagerClient;
  sqs: SQSClient;
  sts: STSClient;
}

/** @param region over what the environment says */
export function createClients(region: string | undefined): Clients {
  const config = { ...(region !== undefined && { region }), requestHandler: REQUEST_HANDLER };
  return {
    cloudformation: new CloudFormationClient(config),
    dynamodb: new DynamoDBClient(config),
    iam: new IAMClient(config),
    kms: new KMSClient(config),
    s3: new S3Client(config),
    secrets: new SecretsManagerClient(config),
    sqs: new SQSClient(config),
    sts: new STSClient(config),
  };
}

/** Lets go of kept connections. */
export function closeClients(clients: Clients): void {
  for (const client of Object.values(clients)) client.destroy();
}
