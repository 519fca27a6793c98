/** Operations on the versions of a secret. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Principal } from '../service.ts';
import type { State } from '../state.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { blob } from '../wire/members.ts';
import { invalidParameter, invalidRequest, markedForDeletion, valueNotFound, versionExists, versionNotFound } from './errors.ts';
import { askSecret } from './secret-access.ts';
import { type Secret, type SecretStore, sameValue, type Value } from './secret-store.ts';
import { attachLabels, CURRENT, MAX_LABELS, moveLabel } from './staging.ts';

export type VersionOperation = 'GetSecretValue' | 'PutSecretValue' | 'UpdateSecretVersionStage' | 'ListSecretVersionIds';

/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_VALUE_BYTES = 65_536;
const DEFAULT_PAGE = 100;

export const secretId = z.string().min(1).max(2048);
export const versionToken = z.string().min(32).max(64);
export const valueMembers = {
  SecretString: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= MAX_VALUE_BYTES, `Member must have length less than or equal to ${MAX_VALUE_BYTES}`)
    .optional(),
  SecretBinary: blob({ min: 1, max: MAX_VALUE_BYTES }).optional(),
};
const label = z.string().min(1).max(256);

export function versionOperations(state: State, store: SecretStore): Record<VersionOperation, JsonOperation> {
  return {
    GetSecretValue: operation(
      'secretsmanager:GetSecretValue',
      z.strictObject({ SecretId: secretId, VersionId: versionToken.optional(), VersionStage: label.optional() }),
      (input, { principal }) => {
        const secret = requireLive(store, input.SecretId);
        const { VersionId, version, stages } = findVersion(store, secret, input.VersionId, input.VersionStage);
        const { kind, bytes } = store.read(secret, VersionId, principal);
        const value = kind === 'string' ? { SecretString: bytes.toString('utf8') } : { SecretBinary: bytes.toString('base64') };
        return { ARN: secret.arn, Name: secret.name, VersionId, ...value, VersionStages: stages, CreatedDate: version.created_ms / 1000 };
      },
      ({ SecretId, VersionId, VersionStage }) => [
        askSecret(store, SecretId, {
          ...(VersionId === undefined ? {} : { 'secretsmanager:VersionId': VersionId }),
          // Who names neither asks for the current one.
          ...(VersionId === undefined || VersionStage !== undefined ? { 'secretsmanager:VersionStage': VersionStage ?? CURRENT } : {}),
        }),
      ],
    ),
    PutSecretValue: operation(
      'secretsmanager:PutSecretValue',
      z.strictObject({
        SecretId: secretId,
        ClientRequestToken: versionToken.optional(),
        VersionStages: z.array(label).min(1).max(MAX_LABELS).optional(),
        ...valueMembers,
      }),
      (input, { principal }) =>
        state.transaction(() => {
          const secret = requireLive(store, input.SecretId);
          const value = givenValue(input);
          if (!value) throw invalidRequest('You must provide either SecretString or SecretBinary.');
          const VersionId = input.ClientRequestToken ?? randomUUID();
          const VersionStages = putVersion(store, secret, VersionId, value, input.VersionStages ?? [CURRENT], principal);
          return { ARN: secret.arn, Name: secret.name, VersionId, VersionStages };
        }),
      ({ SecretId }) => [askSecret(store, SecretId)],
    ),
    UpdateSecretVersionStage: operation(
      'secretsmanager:UpdateSecretVersionStage',
      z.strictObject({
        SecretId: secretId,
        VersionStage: label,
        RemoveFromVersionId: versionToken.optional(),
        MoveToVersionId: versionToken.optional(),
      }),
      (input) =>
        state.transaction(() => {
          const secret = requireLive(store, input.SecretId);
          const { RemoveFromVersionId: from = null, MoveToVersionId: to = null } = input;
          for (const id of [from, to]) if (id !== null && !store.version(secret, id)) throw versionNotFound();
          moveLabel(store, secret, input.VersionStage, from, to);
          store.update(secret, { changed_ms: Date.now() });
          return { ARN: secret.arn, Name: secret.name };
        }),
      ({ SecretId, VersionStage }) => [askSecret(store, SecretId, { 'secretsmanager:VersionStage': VersionStage })],
    ),
    ListSecretVersionIds: operation(
      'secretsmanager:ListSecretVersionIds',
      z.strictObject({
        SecretId: secretId,
        MaxResults: z.int().min(1).max(100).default(DEFAULT_PAGE),
        NextToken: z.string().min(1).max(4096).default('0'),
        IncludeDeprecated: z.boolean().default(false),
      }),
      (input) => {
        const secret = store.require(input.SecretId);
        const all = store
          .versions(secret)
          .map((version) => ({ ...version, stages: stagesOf(store, secret, version.version_id) }))
          .filter(({ stages }) => input.IncludeDeprecated || stages.length > 0);
        const start = Number(input.NextToken) || 0;
        const shown = all.slice(start, start + input.MaxResults);
        const Versions = shown.map(({ version_id, created_ms, accessed_ms, stages }) => ({
          VersionId: version_id,
          CreatedDate: created_ms / 1000,
          ...(stages.length === 0 ? {} : { VersionStages: stages }),
          ...(accessed_ms === null ? {} : { LastAccessedDate: accessed_ms / 1000 }),
        }));
        const next = start + shown.length;
        return { ARN: secret.arn, Name: secret.name, Versions, ...(next < all.length ? { NextToken: String(next) } : {}) };
      },
      ({ SecretId }) => [askSecret(store, SecretId)],
    ),
  };
}

/** A secret that is not waiting for its deletion. Throws `ResourceNotFoundException`, `InvalidRequestException`. */
export function requireLive(store: SecretStore, id: string): Secret {
  const secret = store.require(id);
  if (secret.deleted_ms !== null) throw markedForDeletion();
  return secret;
}

/** `null`: no value was given. Throws `InvalidParameterException` when both kinds were. */
export function givenValue(input: { SecretString?: string | undefined; SecretBinary?: Buffer | undefined }): Value | null {
  if (input.SecretString !== undefined && input.SecretBinary !== undefined) {
    throw invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.");
  }
  if (input.SecretBinary !== undefined) return { kind: 'binary', bytes: input.SecretBinary };
  return input.SecretString === undefined ? null : { kind: 'string', bytes: Buffer.from(input.SecretString) };
}

/**
 * Adds a version, or finds that an earlier request with the same token added it already. Throws `ResourceExistsException`
 * when that one had another value. @returns the labels of the version
 */
export function putVersion(
  store: SecretStore,
  secret: Secret,
  versionId: string,
  value: Value,
  labels: string[],
  caller: Principal,
): string[] {
  if (store.version(secret, versionId)) {
    if (!sameValue(store.read(secret, versionId, caller), value)) throw versionExists();
    return stagesOf(store, secret, versionId);
  }
  const first = store.labels(secret).get(CURRENT) === undefined;
  store.addVersion(secret, versionId, value, caller);
  attachLabels(store, secret, versionId, first ? [...new Set([...labels, CURRENT])] : labels);
  store.update(secret, { changed_ms: Date.now() });
  return stagesOf(store, secret, versionId);
}

function findVersion(store: SecretStore, secret: Secret, versionId: string | undefined, stage: string | undefined) {
  const labels = store.labels(secret);
  const wanted = stage ?? CURRENT;
  const VersionId = versionId ?? labels.get(wanted);
  if (VersionId === undefined) throw valueNotFound(`staging label: ${wanted}`);
  const version = store.version(secret, VersionId);
  if (!version) throw valueNotFound(`VersionId: ${VersionId}`);
  if (versionId !== undefined && stage !== undefined && labels.get(stage) !== versionId) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  return { VersionId, version, stages: stagesOf(store, secret, VersionId) };
}

function stagesOf(store: SecretStore, secret: Secret, versionId: string): string[] {
  return Array.from(store.labels(secret))
    .filter(([, id]) => id === versionId)
    .map(([name]) => name);
}
