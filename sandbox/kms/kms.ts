/**
 * KMS: symmetric keys that really encrypt, with AWS's states and errors.
 *
 * What it does not do (2026-11-21): asymmetric, HMAC and multi-Region keys, imported key material, custom key stores,
 * grants, dry runs, Nitro enclaves, rotation of the key material (the setting is kept, nothing turns), request quotas.
 */
import { openAccess } from '../iam/access.ts';
import { jsonRefusal } from '../iam/refusal.ts';
import type { DataKeys } from '../service.ts';
import type { State } from '../state.ts';
import { createJsonService, type JsonService } from '../wire/json-service.ts';
import { type AliasOperation, aliasOperations } from './alias-operations.ts';
import { type CryptographicOperation, cryptographicOperations, dataKeysOf } from './cryptographic-operations.ts';
import { type KeyOperation, keyOperations } from './key-operations.ts';
import { type KeyPolicyOperation, keyPolicyOperations } from './key-policy-operations.ts';
import { openKeyStore } from './key-store.ts';

export type Kms = JsonService & DataKeys;

export function openKms(state: State): Kms {
  const keys = openKeyStore(state);
  const access = openAccess(state);
  const { judge } = access;
  const service = createJsonService<KeyOperation | KeyPolicyOperation | AliasOperation | CryptographicOperation>({
    targetPrefix: 'TrentService',
    version: '1.1',
    judge,
    refusal: jsonRefusal,
    operations: {
      ...keyOperations(state, keys, access),
      ...keyPolicyOperations(keys, access),
      ...aliasOperations(keys),
      ...cryptographicOperations(keys),
    },
  });
  return { ...service, ...dataKeysOf(keys, judge) };
}
