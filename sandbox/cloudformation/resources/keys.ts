/** KMS keys and aliases. */
import { z } from 'zod';
import { AwsError } from '../../aws-error.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text } from '../definition.ts';
import type { Services } from '../services.ts';

const keySchema = z.strictObject({
  Description: text.optional(),
  Enabled: flag.optional(),
  EnableKeyRotation: flag.optional(),
  RotationPeriodInDays: integer.pipe(z.int().min(90).max(2560)).optional(),
  KeyPolicy: policyDocument,
  BypassPolicyLockoutSafetyCheck: flag.optional(),
  KeySpec: text.optional(),
  KeyUsage: text.optional(),
  // The sandbox has one Region.
  MultiRegion: z.literal([false, 'false']).optional(),
  // How long a key waits that leaves with the stack; here it waits as long as KMS makes it by default.
  PendingWindowInDays: integer.pipe(z.int().min(7).max(30)).optional(),
  Tags: tags.optional(),
});

type KeyProperties = z.output<typeof keySchema>;

/** What CreateKey is told as the template has it. */
const AT_BIRTH = ['Description', 'KeySpec', 'KeyUsage', 'BypassPolicyLockoutSafetyCheck'] as const satisfies (keyof KeyProperties)[];

export const keyResources: Record<'AWS::KMS::Key' | 'AWS::KMS::Alias', Definition> = {
  'AWS::KMS::Key': define({
    schema: keySchema,
    replacedBy: ['KeySpec', 'KeyUsage'],
    holdsData: true,
    async apply({ properties, previous, changed, services: { kms } }) {
      const policy = JSON.stringify(properties.KeyPolicy);
      const deployed = previous ?? (await createKey(kms, policy, properties));
      const KeyId = deployed.physicalId;
      if (changed.has('KeyPolicy')) {
        const { BypassPolicyLockoutSafetyCheck = false } = properties;
        await kms.call('PutKeyPolicy', { KeyId, PolicyName: 'default', Policy: policy, BypassPolicyLockoutSafetyCheck });
      }
      if (previous === null || changed.has('EnableKeyRotation') || changed.has('RotationPeriodInDays')) {
        const { EnableKeyRotation, RotationPeriodInDays } = properties;
        const period = RotationPeriodInDays === undefined ? {} : { RotationPeriodInDays };
        if (EnableKeyRotation === true) await kms.call('EnableKeyRotation', { KeyId, ...period });
        else if (EnableKeyRotation === false) await kms.call('DisableKeyRotation', { KeyId });
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
};

async function createKey(
  kms: Services['kms'],
  Policy: string,
  { Tags, ...given }: Pick<KeyProperties, (typeof AT_BIRTH)[number] | 'Tags'>,
) {
  const properties = Object.fromEntries(AT_BIRTH.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  const { KeyMetadata } = await kms.call('CreateKey', {
    Policy,
    ...properties,
    ...(Tags && { Tags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })) }),
  });
  const { KeyId, Arn } = z.object({ KeyId: z.string(), Arn: z.string() }).parse(KeyMetadata);
  return { physicalId: KeyId, attributes: { Arn, KeyId } };
}
