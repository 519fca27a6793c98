/** What happens to the keys: those of objects, that of operations, and the customer key. */
import { decryptKeyArns, openingKeyArns } from '../src/policy/keys.ts';
import { sub, type Text } from './cloudformation.ts';
import { customerKeySecret, operationsKeyArn, stackKey, wrappingKeySecret } from './keys-in-use.ts';
import { nameOf, partialSecretArn } from './names.ts';
import type { Stack } from './stack.ts';
import { calls, type Watch } from './watch.ts';

/** What is done to a key, its policy or its replicas, as CloudTrail names it: https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html */
const KEY_CHANGES = [
  'CancelKeyDeletion',
  'CreateGrant',
  'DeleteImportedKeyMaterial',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'PutKeyPolicy',
  'ReplicateKey',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
  'UpdatePrimaryRegion',
];

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html */
const SECRET_CHANGES = [
  'CancelRotateSecret',
  'DeleteResourcePolicy',
  'DeleteSecret',
  'PutResourcePolicy',
  'PutSecretValue',
  'RemoveRegionsFromReplication',
  'ReplicateSecretToRegions',
  'RestoreSecret',
  'RotateSecret',
  'StopReplicationToReplica',
  'UpdateSecret',
  'UpdateSecretVersionStage',
];

/** A pattern has 2048 characters at most, and a key's ARN up to 90 of them: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const KEYS_PER_RULE = 15;

/**
 * KMS itself tells of rotations and deletions; the rest is what people do.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html
 */
export function keyChanges(stack: Stack): Watch[] {
  const keys = keysToWatch(stack);
  const groups = Array.from({ length: Math.ceil(keys.length / KEYS_PER_RULE) }, (_, at) =>
    keys.slice(at * KEYS_PER_RULE, (at + 1) * KEYS_PER_RULE),
  );
  return [
    ...groups.flatMap(watchKeys),
    {
      id: 'SecretChangeRule',
      name: 'secret-changes',
      description: 'Somebody changed the customer key, its policy, versions or replicas.',
      pattern: calls('secretsmanager', SECRET_CHANGES, { requestParameters: { secretId: secretIds(stack) } }),
    },
  ];
}

function watchKeys(keys: Text[], at: number): Watch[] {
  const [id, name] = at === 0 ? ['', ''] : [String(at + 1), `-${at + 1}`];
  return [
    {
      id: `KeyLife${id}Rule`,
      name: `key-life${name}`,
      description: 'A key was rotated or deleted, or its imported material has expired.',
      pattern: {
        source: ['aws.kms'],
        'detail-type': ['KMS CMK Rotation', 'KMS CMK Deletion', 'KMS Imported Key Material Expiration'],
        resources: keys,
      },
    },
    {
      id: `KeyChange${id}Rule`,
      name: `key-changes${name}`,
      description:
        'Somebody disabled, enabled, rotated, replicated or scheduled a key for deletion, deleted its material, let others use it, or changed its policy or rotation.',
      pattern: calls('kms', KEY_CHANGES, { resources: { ARN: keys } }),
    },
  ];
}

function keysToWatch(stack: Stack): Text[] {
  const own = stackKey(stack);
  return [
    own,
    operationsKeyArn(stack),
    ...new Set([...decryptKeyArns(stack.policy), ...openingKeyArns(stack.policy)].filter((arn) => arn !== own)),
  ];
}

/** Callers may name a secret by its ARN, by its ARN without the six characters that Secrets Manager adds, or by its name. */
function secretIds(stack: Stack): Text[] {
  const wrapping = wrappingKeySecret(stack);
  return [
    ...idsOf(stack, customerKeySecret(stack), stack.settings.customerKeySecret, 'customer-key'),
    ...(wrapping === null ? [] : idsOf(stack, wrapping, stack.settings.wrappingKeySecret, 'wrapping-key')),
  ];
}

function idsOf(stack: Stack, secret: Text, brought: string | null, own: string): Text[] {
  if (brought === null) {
    const name = nameOf(stack, own);
    return [secret, sub(partialSecretArn(name)), sub(name)];
  }
  const partial = brought.replace(/-[^-]{6}$/, '');
  return [brought, partial, partial.replace(/^.*:secret:/, '')];
}
