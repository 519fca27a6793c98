/** The services that resources are made in. */

import type { Access } from '../iam/access.ts';
import type { EventSourceMappings, Functions } from '../lambda/index.ts';
import type { BucketConfiguration } from '../s3/index.ts';

/** What a deployment needs of a service with AWS JSON operations. */
export interface Operations {
  /** @throws AwsError */
  call(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export interface Services {
  /** Of the AWS services: part of a queue's URL. */
  endpoint: string;
  s3: BucketConfiguration;
  kms: Operations;
  secretsManager: Operations;
  sqs: Operations;
  dynamodb: Operations;
  functions: Functions;
  eventSources: EventSourceMappings;
  access: Access;
}
