/** KMS keys and aliases, and secrets. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../../aws-error.ts';
import { generateSecretString } from '../../secrets-manager/password.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text } from '../definition.ts';
import type { Services } from '../services.ts';

const generateSettings = z.strictObject({
  PasswordLength: integer.optional(),
  ExcludeCharacters: text.optional(),
  ExcludeLowercase: flag.optional(),
  ExcludeNumbers: flag.optional(),
  ExcludePunctuation: flag.optional(),
  ExcludeUppercase: flag.optional(),
  IncludeSpace: flag.optional(),
  RequireEachIncludedType: flag.optional(),
  SecretStringTemplate: text.optional(),
  GenerateStringKey: text.optional(),
});

export const keyResources: Record<'AWS::KMS::Key' | 'AWS::KMS::Alias' | 'AWS::SecretsManager::Secret', Definition> = {
  'AWS::KMS::Key': define({
    schema: z.strictObject({
      Description: text.optional(),
      Enabled: flag.optional(),
      EnableKeyRotation: flag.optional(),
      KeyPolicy: policyDocument,
      KeySpec: text.optional(),
      KeyUsage: text.optional(),
      PendingWindowInDays: integer.optional(),
      Tags: tags.optional(),
    }),
    replacedBy: ['KeySpec', 'KeyUsage'],
    holdsData: true,
    async apply({ properties, previous, changed, services: { kms } }) {
      const policy = JSON.stringify(properties.KeyPolicy);
      const deployed = previous ?? (await createKey(kms, policy, properties));
      const KeyId = deployed.physicalId;
      if (changed.has('KeyPolicy')) await kms.call('PutKeyPolicy', { KeyId, PolicyName: 'default', Policy: policy });
      if (previous === null || changed.has('EnableKeyRotation')) {
        if (properties.EnableKeyRotation !== undefined)
          await kms.call(properties.EnableKeyRotation ? 'EnableKeyRotation' : 'DisableKeyRotation', { KeyId });
      }
      // What an operator switched by hand stays, until the template itself says something else.
      if ((previous === null || changed.has('Enabled')) && properties.Enabled !== undefined) {
        await kms.call(properties.Enabled ? 'EnableKey' : 'DisableKey', { KeyId });
      }
      return deployed;
    },
    remove: async ({ physicalId }, { kms }) => void (await kms.call('ScheduleKeyDeletion', { KeyId: physicalId })),
  }),
  'AWS::KMS::Alias': define({
    schema: z.strictObject({ AliasName: text, TargetKeyId: text }),
    replacedBy: ['AliasName'],
    async apply({ properties: { AliasName, TargetKeyId }, services: { kms } }) {
      try {
        await kms.call('CreateAlias', { AliasName, TargetKeyId });
      } catch (error) {
        if (!(error instanceof AwsError && error.code === 'AlreadyExistsException')) throw error;
        await kms.call('UpdateAlias', { AliasName, TargetKeyId });
      }
      return { physicalId: AliasName, attributes: {} };
    },
    remove: async ({ physicalId }, { kms }) => void (await kms.call('DeleteAlias', { AliasName: physicalId })),
  }),
  'AWS::SecretsManager::Secret': define({
    schema: z.strictObject({
      Name: text.optional(),
      Description: text.optional(),
      GenerateSecretString: generateSettings.optional(),
      KmsKeyId: text.optional(),
      Tags: tags.optional(),
    }),
    replacedBy: ['Name'],
    nameProperty: 'Name',
    holdsData: true,
    async apply({ properties, previous, changed, generatedName, services: { secretsManager } }) {
      const { Description, KmsKeyId, GenerateSecretString, Tags } = properties;
      const details = { ...(Description !== undefined && { Description }), ...(KmsKeyId !== undefined && { KmsKeyId }) };
      if (previous === null) {
        const Name = properties.Name ?? generatedName;
        // The token makes a repetition after a crash find what it made, and its random value, instead of a conflict.
        const ClientRequestToken = createHash('sha256').update(Name).digest('hex').slice(0, 36);
        const existing = await describeSecret(secretsManager, Name);
        if (existing !== null) return existing;
        const value = GenerateSecretString && { SecretString: generateSecretString(GenerateSecretString) };
        const created = await secretsManager.call('CreateSecret', {
          Name,
          ...details,
          ClientRequestToken,
          ...value,
          ...(Tags && { Tags }),
        });
        return secret(String(created.ARN));
      }
      const SecretId = previous.physicalId;
      if (changed.has('Description') || changed.has('KmsKeyId')) await secretsManager.call('UpdateSecret', { SecretId, ...details });
      if (changed.has('GenerateSecretString') && GenerateSecretString !== undefined) {
        await secretsManager.call('PutSecretValue', { SecretId, SecretString: generateSecretString(GenerateSecretString) });
      }
      return previous;
    },
    remove: async ({ physicalId }, { secretsManager }) =>
      void (await secretsManager.call('DeleteSecret', { SecretId: physicalId, ForceDeleteWithoutRecovery: true })),
  }),
};

async function createKey(
  kms: Services['kms'],
  Policy: string,
  {
    Description,
    KeySpec,
    KeyUsage,
    Tags,
  }: {
    Description?: string | undefined;
    KeySpec?: string | undefined;
    KeyUsage?: string | undefined;
    Tags?: z.output<typeof tags> | undefined;
  },
) {
  const { KeyMetadata } = await kms.call('CreateKey', {
    Policy,
    ...(Description !== undefined && { Description }),
    ...(KeySpec !== undefined && { KeySpec }),
    ...(KeyUsage !== undefined && { KeyUsage }),
    ...(Tags && { Tags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })) }),
  });
  const { KeyId, Arn } = z.object({ KeyId: z.string(), Arn: z.string() }).parse(KeyMetadata);
  return { physicalId: KeyId, attributes: { Arn, KeyId } };
}

async function describeSecret(secretsManager: Services['secretsManager'], SecretId: string) {
  try {
    const { ARN, DeletedDate } = await secretsManager.call('DescribeSecret', { SecretId });
    return DeletedDate === undefined ? secret(String(ARN)) : null;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return null;
    throw error;
  }
}

function secret(arn: string) {
  return { physicalId: arn, attributes: { Id: arn } };
}
