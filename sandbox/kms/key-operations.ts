/** Operations that make keys and change what they are. */
import { z } from 'zod';
import { ACCOUNT_ID } from '../account.ts';
import type { Access } from '../iam/access.ts';
import type { State } from '../state.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import { invalidMarker, notPendingDeletion, pendingDeletion, unsupported } from './errors.ts';
import { keyOperation } from './key-access.ts';
import { createPolicyCheck, policyText } from './key-policy-operations.ts';
import { type KeyRecord, type KeyStore, keyArn } from './key-store.ts';

export type KeyOperation =
  | 'CreateKey'
  | 'DescribeKey'
  | 'ListKeys'
  | 'EnableKey'
  | 'DisableKey'
  | 'ScheduleKeyDeletion'
  | 'CancelKeyDeletion'
  | 'EnableKeyRotation'
  | 'DisableKeyRotation'
  | 'GetKeyRotationStatus'
  | 'TagResource'
  | 'UntagResource'
  | 'ListResourceTags';

const DAY_MS = 24 * 60 * 60 * 1000;
/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
const DELETION_DAYS = { min: 7, max: 30, default: 30 };
/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html */
const ROTATION_DAYS = { min: 90, max: 2560, default: 365 };
const ALGORITHM = 'SYMMETRIC_DEFAULT';
const DEFAULT_PAGE = 100;

const keyId = z.string().min(1).max(2048);
const tags = z.array(z.strictObject({ TagKey: z.string().min(1).max(128), TagValue: z.string().max(256) })).max(50);
const page = { Limit: z.int().min(1).max(1000).default(DEFAULT_PAGE), Marker: z.string().min(1).max(1024).default('') };

type Tag = z.output<typeof tags>[number];

export function keyOperations(state: State, keys: KeyStore, access: Access): Record<KeyOperation, JsonOperation> {
  const ofKey = keyOperation(keys);
  const assertPolicy = createPolicyCheck(keys, access);

  return {
    CreateKey: operation(
      'kms:CreateKey',
      z.strictObject({
        Policy: policyText.optional(),
        Description: z.string().max(8192).default(''),
        KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
        KeySpec: z.string().default(ALGORITHM),
        CustomerMasterKeySpec: z.string().default(ALGORITHM),
        Origin: z.string().default('AWS_KMS'),
        MultiRegion: z.boolean().default(false),
        BypassPolicyLockoutSafetyCheck: z.boolean().default(false),
        Tags: tags.default([]),
      }),
      (input, context) => {
        const symmetric = input.KeySpec === ALGORITHM && input.CustomerMasterKeySpec === ALGORITHM && input.KeyUsage === 'ENCRYPT_DECRYPT';
        if (!symmetric) throw unsupported('The sandbox has symmetric encryption keys only.');
        if (input.Origin !== 'AWS_KMS' || input.MultiRegion)
          throw unsupported('The sandbox has single-Region keys of the origin AWS_KMS only.');
        const { Policy, BypassPolicyLockoutSafetyCheck } = input;
        return state.transaction(() => {
          const key = keys.create({
            description: input.Description,
            tags: JSON.stringify(mergeTags([], input.Tags)),
            manager: 'CUSTOMER',
            ...(Policy === undefined ? {} : { policy: Policy }),
          });
          if (Policy !== undefined) assertPolicy({ Policy, BypassPolicyLockoutSafetyCheck }, key, context);
          return { KeyMetadata: metadataOf(key) };
        });
      },
    ),
    DescribeKey: ofKey('kms:DescribeKey', z.strictObject({ KeyId: keyId }), (input) => ({
      KeyMetadata: metadataOf(keys.require(input.KeyId)),
    })),
    ListKeys: operation('kms:ListKeys', z.strictObject(page), ({ Limit, Marker }) => {
      const found = keys.list(readMarker(Marker), Limit + 1);
      const shown = found.slice(0, Limit);
      const entries = shown.map(({ id }) => ({ KeyId: id, KeyArn: keyArn(id) }));
      const last = shown.at(-1);
      return found.length > Limit && last
        ? { Keys: entries, Truncated: true, NextMarker: writeMarker(last.id) }
        : { Keys: entries, Truncated: false };
    }),
    EnableKey: ofKey('kms:EnableKey', z.strictObject({ KeyId: keyId }), (input) => {
      const key = keys.require(input.KeyId);
      if (key.state === 'PendingDeletion') throw pendingDeletion(keyArn(key.id));
      keys.update(key.id, { state: 'Enabled' });
      return {};
    }),
    DisableKey: ofKey('kms:DisableKey', z.strictObject({ KeyId: keyId }), (input) => {
      const key = keys.require(input.KeyId);
      if (key.state === 'PendingDeletion') throw pendingDeletion(keyArn(key.id));
      keys.update(key.id, { state: 'Disabled' });
      return {};
    }),
    ScheduleKeyDeletion: ofKey(
      'kms:ScheduleKeyDeletion',
      z.strictObject({
        KeyId: keyId,
        PendingWindowInDays: z.int().min(DELETION_DAYS.min).max(DELETION_DAYS.max).default(DELETION_DAYS.default),
      }),
      (input) => {
        const key = keys.require(input.KeyId);
        if (key.state === 'PendingDeletion') throw pendingDeletion(keyArn(key.id));
        const deletionMs = Date.now() + input.PendingWindowInDays * DAY_MS;
        keys.update(key.id, { state: 'PendingDeletion', deletion_ms: deletionMs });
        const { PendingWindowInDays } = input;
        return { KeyId: keyArn(key.id), DeletionDate: deletionMs / 1000, KeyState: 'PendingDeletion', PendingWindowInDays };
      },
      ({ PendingWindowInDays }) => ({ 'kms:ScheduleKeyDeletionPendingWindowInDays': String(PendingWindowInDays) }),
    ),
    CancelKeyDeletion: ofKey('kms:CancelKeyDeletion', z.strictObject({ KeyId: keyId }), (input) => {
      const key = keys.require(input.KeyId);
      if (key.state !== 'PendingDeletion') throw notPendingDeletion(keyArn(key.id));
      keys.update(key.id, { state: 'Disabled', deletion_ms: null });
      return { KeyId: keyArn(key.id) };
    }),
    EnableKeyRotation: ofKey(
      'kms:EnableKeyRotation',
      z.strictObject({
        KeyId: keyId,
        RotationPeriodInDays: z.int().min(ROTATION_DAYS.min).max(ROTATION_DAYS.max).default(ROTATION_DAYS.default),
      }),
      (input) => {
        const key = keys.require(input.KeyId);
        keys.assertEnabled(key);
        keys.update(key.id, { rotation_days: input.RotationPeriodInDays, rotation_since_ms: Date.now() });
        return {};
      },
    ),
    DisableKeyRotation: ofKey('kms:DisableKeyRotation', z.strictObject({ KeyId: keyId }), (input) => {
      const key = keys.require(input.KeyId);
      keys.assertEnabled(key);
      keys.update(key.id, { rotation_days: null, rotation_since_ms: null });
      return {};
    }),
    GetKeyRotationStatus: ofKey('kms:GetKeyRotationStatus', z.strictObject({ KeyId: keyId }), (input) =>
      rotationOf(keys.require(input.KeyId)),
    ),
    TagResource: ofKey('kms:TagResource', z.strictObject({ KeyId: keyId, Tags: tags }), (input) => {
      const key = keys.require(input.KeyId);
      keys.update(key.id, { tags: JSON.stringify(mergeTags(tagsOf(key), input.Tags)) });
      return {};
    }),
    UntagResource: ofKey('kms:UntagResource', z.strictObject({ KeyId: keyId, TagKeys: z.array(z.string()) }), (input) => {
      const key = keys.require(input.KeyId);
      keys.update(key.id, { tags: JSON.stringify(tagsOf(key).filter((tag) => !input.TagKeys.includes(tag.TagKey))) });
      return {};
    }),
    ListResourceTags: ofKey('kms:ListResourceTags', z.strictObject({ KeyId: keyId, ...page }), (input) => ({
      Tags: tagsOf(keys.require(input.KeyId)),
      Truncated: false,
    })),
  };
}

/** Opaque to callers, as AWS's are. */
export function writeMarker(after: string): string {
  return Buffer.from(after).toString('base64url');
}

/** Throws `InvalidMarkerException` for what `writeMarker` cannot have made. */
export function readMarker(marker: string): string {
  const after = Buffer.from(marker, 'base64url').toString();
  if (writeMarker(after) !== marker) throw invalidMarker();
  return after;
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
function metadataOf(key: KeyRecord) {
  return {
    AWSAccountId: ACCOUNT_ID,
    KeyId: key.id,
    Arn: keyArn(key.id),
    CreationDate: key.created_ms / 1000,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: ALGORITHM,
    KeySpec: ALGORITHM,
    EncryptionAlgorithms: [ALGORITHM],
    MultiRegion: false,
    ...(key.deletion_ms === null ? {} : { DeletionDate: key.deletion_ms / 1000 }),
  };
}

function rotationOf(key: KeyRecord) {
  if (key.rotation_days === null || key.rotation_since_ms === null) return { KeyId: keyArn(key.id), KeyRotationEnabled: false };
  const next = key.rotation_since_ms + key.rotation_days * DAY_MS;
  return { KeyId: keyArn(key.id), KeyRotationEnabled: true, RotationPeriodInDays: key.rotation_days, NextRotationDate: next / 1000 };
}

function tagsOf(key: KeyRecord): Tag[] {
  return tags.parse(JSON.parse(key.tags));
}

function mergeTags(old: Tag[], added: Tag[]): Tag[] {
  const values = new Map([...old, ...added].map((tag) => [tag.TagKey, tag.TagValue]));
  return Array.from(values, ([TagKey, TagValue]) => ({ TagKey, TagValue }));
}
