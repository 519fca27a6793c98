/** All expectations, by service. */
import { DYNAMODB } from './dynamodb/index.ts';
import type { Expectation } from './expectation.ts';
import { KMS } from './kms/index.ts';
import { S3 } from './s3/index.ts';
import { SECRETS_MANAGER } from './secrets-manager.ts';
import { SQS } from './sqs/index.ts';

/** The name is also how an id begins. */
export const CATALOGUE = { s3: S3, kms: KMS, secrets: SECRETS_MANAGER, sqs: SQS, dynamodb: DYNAMODB } as const;

export type ServiceName = keyof typeof CATALOGUE;

export const SERVICES = Object.keys(CATALOGUE) as ServiceName[];

export function expectationsOf(services: readonly ServiceName[]): Expectation[] {
  return services.flatMap((service) => CATALOGUE[service]);
}
