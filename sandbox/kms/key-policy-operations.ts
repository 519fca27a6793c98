/** The policy of a key. @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html */
import { z } from 'zod';
import { ACCOUNT_ID, PARTITION } from '../account.ts';
import type { Access } from '../iam/access.ts';
import { type PolicyDocument, PolicyError, parsePolicy } from '../iam/policy.ts';
import type { JsonOperation, OperationContext } from '../wire/json-service.ts';
import { invalidPrincipals, lockedOut, malformedPolicy } from './errors.ts';
import { askKey, keyOperation } from './key-access.ts';
import type { KeyRecord, KeyStore } from './key-store.ts';

export type KeyPolicyOperation = 'GetKeyPolicy' | 'PutKeyPolicy' | 'ListKeyPolicies';

/** Checks a policy that `context.principal` wants to give to the key. */
type PolicyCheck = (given: { Policy: string; BypassPolicyLockoutSafetyCheck: boolean }, key: KeyRecord, context: OperationContext) => void;

/** Of other accounts, and of sessions, nothing is known here. */
const OWN_PRINCIPAL = `arn:${PARTITION}:iam::${ACCOUNT_ID}:`;

const keyId = z.string().min(1).max(2048);
const policyName = z.literal('default').default('default');
export const policyText = z.string().min(1).max(131_072);

export function keyPolicyOperations(keys: KeyStore, access: Access): Record<KeyPolicyOperation, JsonOperation> {
  const ofKey = keyOperation(keys);
  const assertPolicy = createPolicyCheck(keys, access);

  return {
    GetKeyPolicy: ofKey('kms:GetKeyPolicy', z.strictObject({ KeyId: keyId, PolicyName: policyName }), (input) => ({
      Policy: keys.require(input.KeyId).policy,
      PolicyName: input.PolicyName,
    })),
    PutKeyPolicy: ofKey(
      'kms:PutKeyPolicy',
      z.strictObject({
        KeyId: keyId,
        PolicyName: policyName,
        Policy: policyText,
        BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
      }),
      (input, context) => {
        const key = keys.require(input.KeyId);
        assertPolicy(input, key, context);
        keys.update(key.id, { policy: input.Policy });
        return {};
      },
    ),
    ListKeyPolicies: ofKey(
      'kms:ListKeyPolicies',
      z.strictObject({ KeyId: keyId, Limit: z.int().min(1).max(1000).optional(), Marker: z.string().min(1).max(1024).optional() }),
      (input) => {
        keys.require(input.KeyId);
        return { PolicyNames: ['default'], Truncated: false };
      },
    ),
  };
}

/**
 * The check throws `MalformedPolicyDocumentException`, also for a user or role of this account that is not there, so that a stack
 * must make its roles first, and for a policy under which its author could never change it again.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html#API_PutKeyPolicy_RequestParameters
 */
export function createPolicyCheck(keys: KeyStore, { judge, principalExists }: Access): PolicyCheck {
  return ({ Policy, BypassPolicyLockoutSafetyCheck }, key, { principal, secure }) => {
    const resourcePolicy = parseKeyPolicy(Policy);
    const named = resourcePolicy.statements.flatMap(({ principals }) => [...(principals?.arns ?? [])]);
    if (named.some((arn) => arn.startsWith(OWN_PRINCIPAL) && !principalExists(arn))) throw invalidPrincipals();
    if (BypassPolicyLockoutSafetyCheck) return;
    const { resource, context: own = {}, rule } = askKey(keys, key);
    const context = { ...own, 'aws:SecureTransport': String(secure) };
    if (!judge.allows({ principal, action: 'kms:PutKeyPolicy', resource, context, resourcePolicy }, rule)) throw lockedOut();
  };
}

function parseKeyPolicy(text: string): PolicyDocument {
  try {
    return parsePolicy(text, 'resource');
  } catch (error) {
    throw error instanceof PolicyError ? malformedPolicy(error.message) : error;
  }
}
