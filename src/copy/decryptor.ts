/** What opens sources that the Amazon S3 Encryption Client wrote, as policy says. */
import type { KMSClient } from '@aws-sdk/client-kms';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createWrappingKeys } from '../keys/secret-keys.ts';
import { sourceKeyArns } from '../policy/keys.ts';
import type { Policy } from '../policy/schema.ts';
import type { Decryptor } from './copy-job.ts';

const MIB = 1024 * 1024;

/** @param secretId name or ARN of the secret with the client's own wrapping key; `undefined`: there is none */
export function createDecryptor(deps: {
  policy: Policy;
  kms: KMSClient;
  secretsManager: SecretsManagerClient;
  secretId: string | undefined;
}): Decryptor {
  const { policy, kms, secretsManager, secretId } = deps;
  const keys = secretId === undefined ? null : createWrappingKeys({ secretsManager, secretId });
  return {
    kms,
    kmsKeyArns: sourceKeyArns(policy),
    wrappingKey: keys && (async () => (await keys.current()).material),
    legacy: policy.s3EncryptionClient?.legacy ?? false,
    upToBytes: (policy.s3EncryptionClient?.upToMiB ?? 0) * MIB,
  };
}
