/** The policy of a secret. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html */
import { z } from 'zod';
import { type PolicyDocument, PolicyError, parsePolicy } from '../iam/policy.ts';
import { grantsPublicAccess } from '../iam/public.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { malformedPolicy, publicPolicy } from './errors.ts';
import { askSecret } from './secret-access.ts';
import type { SecretStore } from './secret-store.ts';
import { requireLive, secretId } from './version-operations.ts';

export type PolicyOperation = 'GetResourcePolicy' | 'PutResourcePolicy' | 'DeleteResourcePolicy' | 'ValidateResourcePolicy';

const policyText = z.string().min(1).max(20_480);

export function policyOperations(store: SecretStore): Record<PolicyOperation, JsonOperation> {
  return {
    GetResourcePolicy: operation(
      'secretsmanager:GetResourcePolicy',
      z.strictObject({ SecretId: secretId }),
      (input) => {
        const secret = requireLive(store, input.SecretId);
        const policy = store.policy(secret);
        return { ARN: secret.arn, Name: secret.name, ...(policy === null ? {} : { ResourcePolicy: policy }) };
      },
      ({ SecretId }) => [askSecret(store, SecretId)],
    ),
    PutResourcePolicy: operation(
      'secretsmanager:PutResourcePolicy',
      z.strictObject({ SecretId: secretId, ResourcePolicy: policyText, BlockPublicPolicy: z.boolean().default(false) }),
      (input) => {
        const secret = requireLive(store, input.SecretId);
        const policy = parse(input.ResourcePolicy);
        if (input.BlockPublicPolicy && grantsPublicAccess(policy)) throw publicPolicy();
        store.putPolicy(secret, input.ResourcePolicy);
        return { ARN: secret.arn, Name: secret.name };
      },
      ({ SecretId, BlockPublicPolicy }) => [askSecret(store, SecretId, { 'secretsmanager:BlockPublicPolicy': String(BlockPublicPolicy) })],
    ),
    DeleteResourcePolicy: operation(
      'secretsmanager:DeleteResourcePolicy',
      z.strictObject({ SecretId: secretId }),
      (input) => {
        const secret = requireLive(store, input.SecretId);
        store.putPolicy(secret, null);
        return { ARN: secret.arn, Name: secret.name };
      },
      ({ SecretId }) => [askSecret(store, SecretId)],
    ),
    ValidateResourcePolicy: operation(
      'secretsmanager:ValidateResourcePolicy',
      z.strictObject({ SecretId: secretId.optional(), ResourcePolicy: policyText }),
      (input) => {
        const open = grantsPublicAccess(parse(input.ResourcePolicy));
        const error = { CheckName: 'PublicPolicyCheck', ErrorMessage: publicPolicy().message };
        return { PolicyValidationPassed: !open, ValidationErrors: open ? [error] : [] };
      },
      ({ SecretId }) => [SecretId === undefined ? { resource: '*' } : askSecret(store, SecretId)],
    ),
  };
}

function parse(text: string): PolicyDocument {
  try {
    return parsePolicy(text, 'resource');
  } catch (error) {
    throw error instanceof PolicyError ? malformedPolicy(error.message) : error;
  }
}
