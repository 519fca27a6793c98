/** Secrets and their policies. */
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

export const secretResources: Record<'AWS::SecretsManager::Secret' | 'AWS::SecretsManager::ResourcePolicy', Definition> = {
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
  'AWS::SecretsManager::ResourcePolicy': define({
    schema: z.strictObject({ SecretId: text, ResourcePolicy: policyDocument, BlockPublicPolicy: flag.optional() }),
    replacedBy: ['SecretId'],
    async apply({ properties: { SecretId, ResourcePolicy, BlockPublicPolicy }, services: { secretsManager } }) {
      await secretsManager.call('PutResourcePolicy', {
        SecretId,
        ResourcePolicy: JSON.stringify(ResourcePolicy),
        ...(BlockPublicPolicy !== undefined && { BlockPublicPolicy }),
      });
      return { physicalId: SecretId, attributes: { Id: SecretId } };
    },
    remove: async ({ physicalId }, { secretsManager }) =>
      void (await secretsManager.call('DeleteResourcePolicy', { SecretId: physicalId })),
  }),
};

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
