/** The services that resources are made in. */
import type { EventSourceMappings, Functions } from '../lambda/index.ts';
import type { Access } from './access.ts';

/** What a deployment needs of a service with AWS JSON operations. */
export interface Operations {
  /** @throws AwsError */
  call(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** What a deployment needs of S3. Configurations are in the shapes of the AWS SDK, and S3 judges them. */
export interface Buckets {
  bucketExists(name: string): boolean;
  createBucket(name: string, options?: { objectLock?: boolean }): void;
  deleteBucket(name: string): void;
  settings(name: string): { readonly versioning?: { Status: string } };
  putBucketVersioning(name: string, configuration: unknown): void;
  putBucketEncryption(name: string, configuration: unknown): void;
  deleteBucketEncryption(name: string): void;
  putBucketNotification(name: string, configuration: unknown): void;
  putPublicAccessBlock(name: string, configuration: unknown): void;
  deletePublicAccessBlock(name: string): void;
  putOwnershipControls(name: string, configuration: unknown): void;
  putLifecycle(name: string, configuration: unknown): void;
  deleteLifecycle(name: string): void;
  putObjectLock(name: string, configuration: unknown): void;
  putBucketTagging(name: string, configuration: unknown): void;
  deleteBucketTagging(name: string): void;
  putBucketPolicy(name: string, policy: string): void;
  deleteBucketPolicy(name: string): void;
}

export interface Services {
  /** Of the AWS services: part of a queue's URL. */
  endpoint: string;
  s3: Buckets;
  kms: Operations;
  secretsManager: Operations;
  sqs: Operations;
  dynamodb: Operations;
  functions: Functions;
  eventSources: EventSourceMappings;
  access: Access;
}
