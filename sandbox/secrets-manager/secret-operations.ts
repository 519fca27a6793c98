/** Operations on secrets themselves. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import type { State } from '../state.ts';
import { type JsonObject, type JsonOperation, operation } from '../wire/json-service.ts';
import { alreadyScheduled, invalidNextToken, invalidParameter, nameScheduledForDeletion, secretExists } from './errors.ts';
import { generatePassword, passwordOptions } from './password.ts';
import { askSecret, findOrNull } from './secret-access.ts';
import { ARN_PREFIX, newArn, type Secret, type SecretStore, sameValue } from './secret-store.ts';
import { attachLabels, CURRENT, PENDING, PREVIOUS } from './staging.ts';
import { mergeTags, tags, tagsOf } from './tags.ts';
import { givenValue, putVersion, requireLive, secretId, valueMembers, versionToken } from './version-operations.ts';

export type SecretOperation =
  | 'CreateSecret'
  | 'UpdateSecret'
  | 'DescribeSecret'
  | 'ListSecrets'
  | 'DeleteSecret'
  | 'RestoreSecret'
  | 'GetRandomPassword'
  | 'TagResource'
  | 'UntagResource';

const DAY_MS = 24 * 60 * 60 * 1000;
/** @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html */
const RECOVERY_DAYS = { min: 7, max: 30, default: 30 };
const MAX_LISTED = 100;
const NAME = /^[A-Za-z0-9/_+=.@-]+$/;

const description = z.string().max(2048);
const kmsKeyId = z.string().max(2048);

export function secretOperations(state: State, store: SecretStore): Record<SecretOperation, JsonOperation> {
  const ask = ({ SecretId }: { SecretId: string }) => [askSecret(store, SecretId)];

  return {
    CreateSecret: operation(
      'secretsmanager:CreateSecret',
      z.strictObject({
        Name: z.string().min(1).max(512),
        ClientRequestToken: versionToken.optional(),
        Description: description.optional(),
        KmsKeyId: kmsKeyId.optional(),
        Tags: tags.default([]),
        ...valueMembers,
      }),
      (input, { principal }) =>
        state.transaction(() => {
          if (!NAME.test(input.Name)) {
            throw invalidParameter(
              'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
            );
          }
          const value = givenValue(input);
          const VersionId = input.ClientRequestToken ?? randomUUID();
          const existing = store.findByName(input.Name);
          if (existing) {
            if (existing.deleted_ms !== null) throw nameScheduledForDeletion();
            // The same request once more, after its answer was lost.
            const repeated = value && store.version(existing, VersionId) && sameValue(store.read(existing, VersionId, principal), value);
            if (!repeated) throw secretExists(input.Name);
            return { ARN: existing.arn, Name: existing.name, VersionId };
          }
          const secret = store.create({
            name: input.Name,
            description: input.Description ?? null,
            kmsKeyId: input.KmsKeyId || null,
            tags: JSON.stringify(mergeTags([], input.Tags)),
          });
          if (!value) return { ARN: secret.arn, Name: secret.name };
          store.addVersion(secret, VersionId, value, principal);
          attachLabels(store, secret, VersionId, [CURRENT]);
          return { ARN: secret.arn, Name: secret.name, VersionId };
        }),
      ({ Name, Tags }) => {
        const resource = ARN_PREFIX + Name;
        return Tags.length === 0 ? [{ resource }] : [{ resource }, { action: 'secretsmanager:TagResource', resource }];
      },
    ),
    UpdateSecret: operation(
      'secretsmanager:UpdateSecret',
      z.strictObject({
        SecretId: secretId,
        ClientRequestToken: versionToken.optional(),
        Description: description.optional(),
        KmsKeyId: kmsKeyId.optional(),
        ...valueMembers,
      }),
      (input, { principal }) =>
        state.transaction(() => {
          const before = requireLive(store, input.SecretId);
          const change = {
            ...(input.Description === undefined ? {} : { description: input.Description }),
            ...(input.KmsKeyId === undefined ? {} : { kms_key_id: input.KmsKeyId || null }),
          };
          const secret = store.update(before, { ...change, changed_ms: Date.now() });
          if (secret.kms_key_id !== before.kms_key_id) {
            const labels = store.labels(secret);
            const kept = [CURRENT, PENDING, PREVIOUS].map((label) => labels.get(label)).filter((id) => id !== undefined);
            for (const versionId of new Set(kept)) store.reseal(secret, versionId, principal);
          }
          const value = givenValue(input);
          const answer = { ARN: secret.arn, Name: secret.name };
          if (!value) return answer;
          const VersionId = input.ClientRequestToken ?? randomUUID();
          putVersion(store, secret, VersionId, value, [CURRENT], principal);
          return { ...answer, VersionId };
        }),
      ask,
    ),
    DescribeSecret: operation(
      'secretsmanager:DescribeSecret',
      z.strictObject({ SecretId: secretId }),
      (input) => {
        const secret = store.require(input.SecretId);
        return { ...entryOf(secret), VersionIdsToStages: stagesOf(store, secret) };
      },
      ask,
    ),
    ListSecrets: operation(
      'secretsmanager:ListSecrets',
      z.strictObject({
        IncludePlannedDeletion: z.boolean().default(false),
        MaxResults: z.int().min(1).max(MAX_LISTED).default(MAX_LISTED),
        NextToken: z.string().min(1).max(4096).optional(),
        Filters: z.array(z.strictObject({ Key: z.string(), Values: z.array(z.string()).min(1).max(10) })).default([]),
      }),
      (input) => {
        const found = store.list(
          readToken(input.NextToken),
          input.MaxResults + 1,
          input.IncludePlannedDeletion,
          namePrefixOf(input.Filters),
        );
        const shown = found.slice(0, input.MaxResults);
        const last = shown.at(-1);
        const SecretList = shown.map((secret) => ({ ...entryOf(secret), SecretVersionsToStages: stagesOf(store, secret) }));
        return found.length > shown.length && last ? { SecretList, NextToken: String(last.id) } : { SecretList };
      },
    ),
    DeleteSecret: operation(
      'secretsmanager:DeleteSecret',
      z.strictObject({
        SecretId: secretId,
        RecoveryWindowInDays: z.int().optional(),
        ForceDeleteWithoutRecovery: z.boolean().default(false),
      }),
      (input) => deleteSecret(store, input.SecretId, input.RecoveryWindowInDays, input.ForceDeleteWithoutRecovery),
      // Whether AWS names what the request leaves out is unverified.
      ({ SecretId, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force }) => [
        askSecret(store, SecretId, {
          'secretsmanager:ForceDeleteWithoutRecovery': String(force),
          ...(days === undefined ? {} : { 'secretsmanager:RecoveryWindowInDays': String(days) }),
        }),
      ],
    ),
    RestoreSecret: operation(
      'secretsmanager:RestoreSecret',
      z.strictObject({ SecretId: secretId }),
      (input) => {
        const secret = store.update(store.require(input.SecretId), { deletion_ms: null, deleted_ms: null });
        return { ARN: secret.arn, Name: secret.name };
      },
      ask,
    ),
    GetRandomPassword: operation('secretsmanager:GetRandomPassword', passwordOptions, (input) => ({
      RandomPassword: generatePassword(input),
    })),
    TagResource: operation(
      'secretsmanager:TagResource',
      z.strictObject({ SecretId: secretId, Tags: tags }),
      (input) => {
        const secret = requireLive(store, input.SecretId);
        store.update(secret, { tags: JSON.stringify(mergeTags(tagsOf(secret), input.Tags)) });
        return {};
      },
      ask,
    ),
    UntagResource: operation(
      'secretsmanager:UntagResource',
      z.strictObject({ SecretId: secretId, TagKeys: z.array(z.string()) }),
      (input) => {
        const secret = requireLive(store, input.SecretId);
        store.update(secret, { tags: JSON.stringify(tagsOf(secret).filter(({ Key }) => !input.TagKeys.includes(Key))) });
        return {};
      },
      ask,
    ),
  };
}

function deleteSecret(store: SecretStore, id: string, windowDays: number | undefined, force: boolean): JsonObject {
  if (force && windowDays !== undefined) {
    throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  }
  const days = windowDays ?? RECOVERY_DAYS.default;
  if (days < RECOVERY_DAYS.min || days > RECOVERY_DAYS.max) {
    throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
  }
  if (force) {
    const secret = findOrNull(store, id);
    if (secret) store.remove(secret);
    // Forced deletion of what is not there succeeds, as on AWS.
    const { arn, name } = secret ?? { arn: id.startsWith('arn:') ? id : newArn(id), name: id };
    return { ARN: arn, Name: name, DeletionDate: Date.now() / 1000 };
  }
  const secret = store.require(id);
  if (secret.deleted_ms !== null) throw alreadyScheduled();
  const deletionMs = Date.now() + days * DAY_MS;
  store.update(secret, { deletion_ms: deletionMs, deleted_ms: Date.now() });
  return { ARN: secret.arn, Name: secret.name, DeletionDate: deletionMs / 1000 };
}

function entryOf(secret: Secret): JsonObject {
  return {
    ARN: secret.arn,
    Name: secret.name,
    CreatedDate: secret.created_ms / 1000,
    LastChangedDate: secret.changed_ms / 1000,
    Tags: tagsOf(secret),
    ...(secret.description === null ? {} : { Description: secret.description }),
    ...(secret.kms_key_id === null ? {} : { KmsKeyId: secret.kms_key_id }),
    ...(secret.accessed_ms === null ? {} : { LastAccessedDate: secret.accessed_ms / 1000 }),
    ...(secret.deleted_ms === null ? {} : { DeletedDate: secret.deleted_ms / 1000 }),
  };
}

function stagesOf(store: SecretStore, secret: Secret): Record<string, string[]> {
  const stages: Record<string, string[]> = {};
  for (const [label, versionId] of store.labels(secret)) stages[versionId] = [...(stages[versionId] ?? []), label];
  return stages;
}

function namePrefixOf(filters: { Key: string; Values: string[] }[]): string {
  const [filter, more] = filters;
  if (!filter) return '';
  const [prefix, another] = filter.Values;
  if (more || filter.Key !== 'name' || another !== undefined || prefix === undefined || prefix.startsWith('!')) {
    throw new AwsError(501, 'NotImplemented', 'The sandbox implements one filter: the name, by one prefix.');
  }
  return prefix;
}

function readToken(token: string | undefined): number {
  if (token === undefined) return 0;
  if (!/^\d{1,15}$/.test(token)) throw invalidNextToken();
  return Number(token);
}
