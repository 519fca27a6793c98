/** Keys and secrets. */
import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type Probe, probesOf } from './probe.ts';
import type { World } from './world.ts';

const STACK_KEY = "the stack's KMS key, not through S3";
const FOR_MESSAGES = "the stack's KMS key, for messages of the target bucket";
const FOR_OTHER_MESSAGES = "the stack's KMS key, for messages of another bucket";
const OPERATIONS_KEY = 'the key of alarms and evidence, not through S3';
const MANAGED_KEY = 'the key aws/s3';
const CUSTOMER_KEY = 'the customer key';
const WRAPPING_KEY = 'the wrapping key';
const NOTHING = new Uint8Array([1]);

function keyProbes(resource: string, keyOf: (world: World) => string): Probe[] {
  return probesOf(
    resource,
    {
      'kms:Encrypt': ({ kms }, world) => kms.send(new EncryptCommand({ KeyId: keyOf(world), Plaintext: NOTHING })),
      'kms:GenerateDataKey': ({ kms }, world) => kms.send(new GenerateDataKeyCommand({ KeyId: keyOf(world), KeySpec: 'AES_256' })),
      'kms:GenerateDataKeyWithoutPlaintext': ({ kms }, world) =>
        kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: keyOf(world), KeySpec: 'AES_256' })),
      'kms:DescribeKey': ({ kms }, world) => kms.send(new DescribeKeyCommand({ KeyId: keyOf(world) })),
    },
    {
      'kms:EnableKeyRotation': ({ kms }, world) => kms.send(new EnableKeyRotationCommand({ KeyId: keyOf(world) })),
      'kms:PutKeyPolicy': ({ kms }, world) => kms.send(new PutKeyPolicyCommand({ KeyId: keyOf(world), Policy: openKey() })),
      'kms:DisableKey': ({ kms }, world) => kms.send(new DisableKeyCommand({ KeyId: keyOf(world) })),
      'kms:ScheduleKeyDeletion': ({ kms }, world) =>
        kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyOf(world), PendingWindowInDays: 30 })),
    },
  );
}

function openKey(): string {
  const Statement = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'kms:*', Resource: '*' };
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** A ciphertext of the other key, which the administrator may make. */
async function foreignCiphertext({ administrator, otherKey }: World): Promise<Uint8Array> {
  const { CiphertextBlob } = await administrator.kms.send(new EncryptCommand({ KeyId: otherKey, Plaintext: NOTHING }));
  return CiphertextBlob ?? NOTHING;
}

const foreignDecrypts: Probe[] = probesOf("somebody else's KMS key", {
  'kms:Decrypt': async ({ kms }, world) => kms.send(new DecryptCommand({ CiphertextBlob: await foreignCiphertext(world) })),
  'kms:ReEncryptFrom, kms:ReEncryptTo': async ({ kms }, world) =>
    kms.send(new ReEncryptCommand({ CiphertextBlob: await foreignCiphertext(world), DestinationKeyId: world.otherKey })),
});

/** As a message's data key: by who may make one, whoever opens it. */
async function dataKeyOf(world: World, EncryptionContext: Record<string, string>): Promise<Uint8Array> {
  const { CiphertextBlob } = await world
    .as('encrypt')
    .kms.send(new GenerateDataKeyCommand({ KeyId: world.stackKey, KeySpec: 'AES_256', EncryptionContext }));
  return CiphertextBlob ?? NOTHING;
}

function messageProbes(resource: string, bucketOf: (world: World) => string): Probe[] {
  const contextOf = (world: World) => ({ sealdrop: 'cse', bucket: bucketOf(world), key: 'sealed/known.txt' });
  return probesOf(resource, {
    'kms:GenerateDataKey': ({ kms }, world) =>
      kms.send(new GenerateDataKeyCommand({ KeyId: world.stackKey, KeySpec: 'AES_256', EncryptionContext: contextOf(world) })),
    'kms:Decrypt': async ({ kms }, world) => {
      const CiphertextBlob = await dataKeyOf(world, { ...contextOf(world), bucket: world.buckets.target });
      return kms.send(new DecryptCommand({ KeyId: world.stackKey, CiphertextBlob, EncryptionContext: contextOf(world) }));
    },
  });
}

const managedKey: Probe[] = probesOf(MANAGED_KEY, {
  'kms:DescribeKey': ({ kms }) => kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' })),
  'kms:GenerateDataKey': ({ kms }) => kms.send(new GenerateDataKeyCommand({ KeyId: 'alias/aws/s3', KeySpec: 'AES_256' })),
});

function secretProbes(resource: string, secretOf: (world: World) => string): Probe[] {
  return probesOf(
    resource,
    {
      'secretsmanager:GetSecretValue': ({ secrets }, world) => secrets.send(new GetSecretValueCommand({ SecretId: secretOf(world) })),
      'secretsmanager:DescribeSecret': ({ secrets }, world) => secrets.send(new DescribeSecretCommand({ SecretId: secretOf(world) })),
      'secretsmanager:ListSecretVersionIds': ({ secrets }, world) =>
        secrets.send(new ListSecretVersionIdsCommand({ SecretId: secretOf(world) })),
    },
    {
      'secretsmanager:PutSecretValue': ({ secrets }, world) =>
        secrets.send(new PutSecretValueCommand({ SecretId: secretOf(world), SecretString: 'ab'.repeat(32) })),
      'secretsmanager:UpdateSecretVersionStage': ({ secrets }, world) =>
        secrets.send(
          new UpdateSecretVersionStageCommand({ SecretId: secretOf(world), VersionStage: 'moved', MoveToVersionId: '0'.repeat(32) }),
        ),
      'secretsmanager:DeleteResourcePolicy': ({ secrets }, world) =>
        secrets.send(new DeleteResourcePolicyCommand({ SecretId: secretOf(world) })),
      'secretsmanager:DeleteSecret, at once': ({ secrets }, world) =>
        secrets.send(new DeleteSecretCommand({ SecretId: secretOf(world), ForceDeleteWithoutRecovery: true })),
      'secretsmanager:DeleteSecret, in 29 days': ({ secrets }, world) =>
        secrets.send(new DeleteSecretCommand({ SecretId: secretOf(world), RecoveryWindowInDays: 29 })),
      'secretsmanager:DeleteSecret': ({ secrets }, world) => secrets.send(new DeleteSecretCommand({ SecretId: secretOf(world) })),
    },
  );
}

export const KEY_PROBES: Probe[] = [
  ...keyProbes(STACK_KEY, ({ stackKey }) => stackKey),
  ...messageProbes(FOR_MESSAGES, ({ buckets }) => buckets.target),
  ...messageProbes(FOR_OTHER_MESSAGES, ({ buckets }) => buckets.stranger),
  ...keyProbes(OPERATIONS_KEY, ({ operationsKey }) => operationsKey),
  ...keyProbes("somebody else's KMS key", ({ otherKey }) => otherKey),
  ...foreignDecrypts,
  ...managedKey,
  ...secretProbes(CUSTOMER_KEY, ({ secret }) => secret),
  ...secretProbes(WRAPPING_KEY, ({ wrappingSecret }) => wrappingSecret),
  ...secretProbes("somebody else's secret", ({ otherSecret }) => otherSecret),
];

/** Their key policies let nobody use these keys but through S3, or for messages of the bucket: encrypt seals, download and break-glass open. Nobody deletes the customer key in haste. */
export const NEVER_ALLOWED_ON_KEYS: Probe[] = KEY_PROBES.filter(
  ({ resource, action }) =>
    ([STACK_KEY, OPERATIONS_KEY].includes(resource) &&
      ['kms:Encrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext'].includes(action)) ||
    resource === FOR_OTHER_MESSAGES ||
    ([FOR_MESSAGES, MANAGED_KEY].includes(resource) && action === 'kms:GenerateDataKey') ||
    ([CUSTOMER_KEY, WRAPPING_KEY].includes(resource) && action.startsWith('secretsmanager:DeleteSecret, ')),
);
