/** What callers must be allowed. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
import { AwsError } from '../aws-error.ts';
import type { RequestContext } from '../iam/judge.ts';
import { parsePolicy } from '../iam/policy.ts';
import type { Asked } from '../wire/json-service.ts';
import { ARN_PREFIX, type Secret, type SecretStore } from './secret-store.ts';

/**
 * Asks for the secret and its own policy. One that is not there is judged by the name that was given, so that only who may
 * ask learns that it is missing.
 */
export function askSecret(store: SecretStore, id: string, context: RequestContext = {}): Asked {
  const secret = findOrNull(store, id);
  if (secret === null) return { resource: id.startsWith(ARN_PREFIX) ? id : ARN_PREFIX + id, context };
  const policy = store.policy(secret);
  return {
    resource: secret.arn,
    context: { 'secretsmanager:SecretId': secret.arn, ...context },
    resourcePolicy: policy === null ? null : parsePolicy(policy, 'resource'),
  };
}

/** `null`: there is no such secret. */
export function findOrNull(store: SecretStore, id: string): Secret | null {
  try {
    return store.require(id);
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return null;
    throw error;
  }
}
