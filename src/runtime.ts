/** What Lambda gives: environment, SDK clients, the policy that was compiled in. The only reader of process.env. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { readConfig } from './config.ts';
import type { Policy } from './policy/schema.ts';

/** Put in place of this name by the bundler: policy.yml, validated at packaging. */
declare const SEALDROP_POLICY: Policy;

export const policy = (): Policy => SEALDROP_POLICY;

/** @throws SealdropError `config-invalid` */
export const environment = <Name extends string>(...names: Name[]): Record<Name, string> => readConfig(process.env, names);

/** What a stack may leave out. */
export const optionalEnvironment = (name: string): string | undefined => process.env[name] || undefined;

/** A server that does not answer must not use up the function's time; a copy of gigabytes may take its own. */
const CONNECT_TIMEOUT_MS = 2_000;
const SMALL_CALL = { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: 5_000, throwOnRequestTimeout: true };

/** Throttles pass within seconds, and the queue's own retry takes longer: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const S3_ATTEMPTS = 5;
/** A batch of large objects, each with its parts under way. */
const AGENT = { keepAlive: true, maxSockets: 200 };

export const s3 = (): S3Client =>
  new S3Client({
    maxAttempts: S3_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, httpAgent: AGENT, httpsAgent: AGENT },
  });
export const kms = (): KMSClient => new KMSClient({ requestHandler: SMALL_CALL });
export const secretsManager = (): SecretsManagerClient => new SecretsManagerClient({ requestHandler: SMALL_CALL });
export const dynamodb = (): DynamoDBClient => new DynamoDBClient({ requestHandler: SMALL_CALL });
export const sqs = (): SQSClient => new SQSClient({ requestHandler: SMALL_CALL });

/** One line of the function's log as it is: what `console` writes has a time and a request id before it. */
export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Calls `create` at first use: importing a handler reads no environment and makes no client. */
export function lazily<T>(create: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: create() };
    return made.value;
  };
}
