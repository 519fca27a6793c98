/** Names for keys. @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
import { z } from 'zod';
import { type Asked, type JsonOperation, operation } from '../wire/json-service.ts';
import { aliasExists, invalidAlias, notFound, pendingDeletion, validation } from './errors.ts';
import { askAlias, askNamedKey } from './key-access.ts';
import { readMarker, writeMarker } from './key-operations.ts';
import { type AliasRecord, aliasArn, type KeyStore, keyArn } from './key-store.ts';

export type AliasOperation = 'CreateAlias' | 'UpdateAlias' | 'DeleteAlias' | 'ListAliases';

const DEFAULT_PAGE = 50;
const keyId = z.string().min(1).max(2048);
const aliasName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[a-zA-Z0-9:/_-]+$/);

export function aliasOperations(keys: KeyStore): Record<AliasOperation, JsonOperation> {
  function requireTarget(name: string): string {
    // An alias cannot name another alias.
    if (/(^|:)alias\//.test(name)) throw validation('Aliases must refer to keys. Not aliases');
    const key = keys.require(name);
    if (key.state === 'PendingDeletion') throw pendingDeletion(keyArn(key.id));
    return key.id;
  }

  /** The key that the alias names now must allow that it stops doing so. */
  function askCurrent(name: string): Asked[] {
    const alias = keys.alias(name);
    return alias === null ? [] : [askNamedKey(keys, alias.key_id)];
  }

  return {
    CreateAlias: operation(
      'kms:CreateAlias',
      z.strictObject({ AliasName: aliasName, TargetKeyId: keyId }),
      (input) => {
        assertOwnName(input.AliasName);
        const target = requireTarget(input.TargetKeyId);
        if (keys.alias(input.AliasName)) throw aliasExists(aliasArn(input.AliasName));
        keys.putAlias(input.AliasName, target);
        return {};
      },
      ({ AliasName, TargetKeyId }) => [askAlias(AliasName), askNamedKey(keys, TargetKeyId)],
    ),
    UpdateAlias: operation(
      'kms:UpdateAlias',
      z.strictObject({ AliasName: aliasName, TargetKeyId: keyId }),
      (input) => {
        assertOwnName(input.AliasName);
        requireAlias(keys, input.AliasName);
        keys.putAlias(input.AliasName, requireTarget(input.TargetKeyId));
        return {};
      },
      ({ AliasName, TargetKeyId }) => [askAlias(AliasName), ...askCurrent(AliasName), askNamedKey(keys, TargetKeyId)],
    ),
    DeleteAlias: operation(
      'kms:DeleteAlias',
      z.strictObject({ AliasName: aliasName }),
      (input) => {
        assertOwnName(input.AliasName);
        requireAlias(keys, input.AliasName);
        keys.deleteAlias(input.AliasName);
        return {};
      },
      ({ AliasName }) => [askAlias(AliasName), ...askCurrent(AliasName)],
    ),
    ListAliases: operation(
      'kms:ListAliases',
      z.strictObject({
        KeyId: keyId.optional(),
        Limit: z.int().min(1).max(1000).default(DEFAULT_PAGE),
        Marker: z.string().min(1).max(1024).default(''),
      }),
      ({ KeyId, Limit, Marker }) => {
        const found = keys.aliases(readMarker(Marker), Limit + 1, KeyId === undefined ? null : keys.require(KeyId).id);
        const shown = found.slice(0, Limit);
        const last = shown.at(-1);
        const Aliases = shown.map(entryOf);
        return found.length > Limit && last
          ? { Aliases, Truncated: true, NextMarker: writeMarker(last.name) }
          : { Aliases, Truncated: false };
      },
    ),
  };
}

function assertOwnName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw validation(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith('alias/aws/')) throw invalidAlias('The prefix alias/aws/ is reserved for AWS managed keys.');
  if (name === 'alias/' || name.includes(':')) throw invalidAlias(`${name} contains invalid characters for an alias`);
}

function requireAlias(keys: KeyStore, name: string): void {
  if (!keys.alias(name)) throw notFound(`Alias ${aliasArn(name)} is not found.`);
}

function entryOf({ name, key_id, created_ms, updated_ms }: AliasRecord) {
  return {
    AliasName: name,
    AliasArn: aliasArn(name),
    TargetKeyId: key_id,
    CreationDate: created_ms / 1000,
    LastUpdatedDate: updated_ms / 1000,
  };
}
