/**
 * Secrets Manager: versions, staging labels and recovery windows; values are encrypted under KMS data keys.
 *
 * What it does not do (2026-11-21): rotation by schedule or on request (RotateSecret; a function can rotate with the
 * operations that are here), replication, BatchGetSecretValue, filters of ListSecrets other than one
 * name prefix, managed external secrets. Versions without a label are removed once they are a day old and more than a
 * hundred newer ones exist; AWS does not say when it does.
 */
import { openAccess } from '../iam/access.ts';
import { jsonRefusal } from '../iam/refusal.ts';
import type { DataKeys } from '../service.ts';
import type { State } from '../state.ts';
import { createJsonService, type JsonService } from '../wire/json-service.ts';
import { type PolicyOperation, policyOperations } from './policy-operations.ts';
import { type SecretOperation, secretOperations } from './secret-operations.ts';
import { openSecretStore } from './secret-store.ts';
import { type VersionOperation, versionOperations } from './version-operations.ts';

export { generatePassword, generateSecretString } from './password.ts';

export function openSecretsManager(state: State, kms: DataKeys): JsonService {
  const store = openSecretStore(state, kms);
  return createJsonService<SecretOperation | VersionOperation | PolicyOperation>({
    targetPrefix: 'secretsmanager',
    version: '1.1',
    judge: openAccess(state).judge,
    refusal: jsonRefusal,
    operations: { ...secretOperations(state, store), ...versionOperations(state, store), ...policyOperations(store) },
  });
}
