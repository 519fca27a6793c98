/** Versions of the customer key, from Secrets Manager. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type CustomerKey, customerKey } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { translateAwsError } from '../translate-aws-error.ts';
import { parseCustomerKey } from './parse-customer-key.ts';

/** How long a rotation may go unnoticed: until then new objects still get the version before, which stays readable. */
const CURRENT_VERSION_LIFETIME_MS = 300_000;

/** Secrets Manager keeps at most about 100 versions: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_CACHED_VERSIONS = 100;

/** Both throw SealdropError: `customer-key-missing`, `customer-key-invalid`, `access-denied` or a retryable code. */
export interface CustomerKeys {
  /** The version that new objects get. */
  current(): Promise<CustomerKey>;
  /** The version that an object record names. A version never changes, so it is fetched once. */
  version(versionId: string): Promise<CustomerKey>;
}

export function createCustomerKeys(deps: {
  secretsManager: SecretsManagerClient;
  /** Name or ARN. */
  secretId: string;
  /** Milliseconds; for tests. */
  now?: () => number;
}): CustomerKeys {
  const { secretsManager, secretId, now = Date.now } = deps;
  const versions = new Map<string, CustomerKey>();
  let current: { key: Promise<CustomerKey>; expires: number } | null = null;

  async function fetchKey(selector: { VersionStage: string } | { VersionId: string }): Promise<CustomerKey> {
    const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId, ...selector })).catch((error: unknown) => {
      throw translateAwsError(error, {
        ResourceNotFoundException: ['customer-key-missing', 'the secret or its version does not exist'],
        InvalidRequestException: ['customer-key-missing', 'the secret is deleted or has no such version'],
        DecryptionFailure: ['customer-key-missing', "the secret's own KMS key does not decrypt it"],
        AccessDeniedException: ['access-denied', 'the customer key may not be read'],
      });
    });
    const value = answer.SecretBinary ?? answer.SecretString;
    if (value === undefined || answer.VersionId === undefined) {
      throw new SealdropError('customer-key-missing', 'the secret has no value');
    }
    const key = customerKey(answer.VersionId, parseCustomerKey(value));
    if (versions.size >= MAX_CACHED_VERSIONS) versions.clear();
    versions.set(key.versionId, key);
    return key;
  }

  return {
    async current() {
      if (current === null || current.expires <= now()) {
        const entry = { key: fetchKey({ VersionStage: 'AWSCURRENT' }), expires: now() + CURRENT_VERSION_LIFETIME_MS };
        current = entry;
        // A failure is not kept: the next object asks again.
        entry.key.catch(() => {
          if (current === entry) current = null;
        });
      }
      return current.key;
    },
    async version(versionId) {
      return versions.get(versionId) ?? fetchKey({ VersionId: versionId });
    },
  };
}
