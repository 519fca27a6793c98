/** Versions of a 256-bit key, from Secrets Manager: the customer key of SSE-C, and the wrapping key of `cse-aes`. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type SecretKey, secretKey } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { translateAwsError } from '../translate-aws-error.ts';
import { type KeyKind, parseSecretKey } from './parse-secret-key.ts';

/** How long a rotation may go unnoticed: until then new objects still get the version before, which stays readable. */
const CURRENT_VERSION_LIFETIME_MS = 300_000;

/** Secrets Manager keeps at most about 100 versions: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_CACHED_VERSIONS = 100;

/** Both throw SealdropError: that the key is missing or invalid, `access-denied` or a retryable code. */
export interface SecretKeys {
  /** The version that new objects get. */
  current(): Promise<SecretKey>;
  /** The version that an object record or a message names. A version never changes, so it is fetched once. */
  version(versionId: string): Promise<SecretKey>;
}

interface SecretDeps {
  secretsManager: SecretsManagerClient;
  /** Name or ARN. */
  secretId: string;
  /** Milliseconds; for tests. */
  now?: () => number;
}

export const createCustomerKeys = (deps: SecretDeps): SecretKeys => createSecretKeys(deps, 'customer-key');
export const createWrappingKeys = (deps: SecretDeps): SecretKeys => createSecretKeys(deps, 'wrapping-key');

function createSecretKeys(deps: SecretDeps, kind: KeyKind): SecretKeys {
  const { secretsManager, secretId, now = Date.now } = deps;
  const versions = new Map<string, SecretKey>();
  let current: { key: Promise<SecretKey>; expires: number } | null = null;

  async function fetchKey(selector: { VersionStage: string } | { VersionId: string }): Promise<SecretKey> {
    const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId, ...selector })).catch((error: unknown) => {
      throw translateAwsError(error, {
        ResourceNotFoundException: [`${kind}-missing`, 'the secret or its version does not exist'],
        InvalidRequestException: [`${kind}-missing`, 'the secret is deleted or has no such version'],
        DecryptionFailure: [`${kind}-missing`, "the secret's own KMS key does not decrypt it"],
        AccessDeniedException: ['access-denied', 'the secret may not be read'],
      });
    });
    const value = answer.SecretBinary ?? answer.SecretString;
    if (value === undefined || answer.VersionId === undefined) {
      throw new SealdropError(`${kind}-missing`, 'the secret has no value');
    }
    const key = secretKey(answer.VersionId, parseSecretKey(value, kind));
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
