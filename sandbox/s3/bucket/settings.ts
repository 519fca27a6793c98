/** Everything that can be configured on a bucket: its schema, its XML, and what S3 says when it is not set. */
import { z } from 'zod';
import { AwsError } from '../../aws-error.ts';
import { malformedXml } from '../errors.ts';
import type { XmlMembers } from '../xml.ts';
import {
  checkEncryption,
  type EncryptionConfiguration,
  encryptionFromXml,
  encryptionSchema,
  encryptionToXml,
} from './encryption-configuration.ts';
import { lifecycleFromXml, lifecycleSchema, lifecycleToXml } from './lifecycle-configuration.ts';
import { checkNotification, notificationFromXml, notificationSchema, notificationToXml } from './notification-configuration.ts';
import { objectLockFromXml, objectLockSchema, objectLockToXml } from './object-lock-configuration.ts';
import { flag, list, members, rename } from './shapes.ts';
import { checkTags, tagSetSchema } from './tags.ts';

const versioningSchema = z.strictObject({ Status: z.enum(['Enabled', 'Suspended']), MFADelete: z.literal('Disabled').optional() });
const publicAccessBlockSchema = z.strictObject({
  BlockPublicAcls: flag.default(false),
  IgnorePublicAcls: flag.default(false),
  BlockPublicPolicy: flag.default(false),
  RestrictPublicBuckets: flag.default(false),
});
const ownershipSchema = z.strictObject({
  Rules: z.array(z.strictObject({ ObjectOwnership: z.enum(['BucketOwnerPreferred', 'ObjectWriter', 'BucketOwnerEnforced']) })).length(1),
});

/** The configurations of a bucket, in the shapes of the AWS SDK. A missing one is not set. */
export interface BucketSettings {
  versioning: z.infer<typeof versioningSchema>;
  encryption: EncryptionConfiguration;
  notification: z.infer<typeof notificationSchema>;
  publicAccessBlock: z.infer<typeof publicAccessBlockSchema>;
  ownershipControls: z.infer<typeof ownershipSchema>;
  lifecycle: z.infer<typeof lifecycleSchema>;
  tagging: z.infer<typeof tagSetSchema>;
  objectLock: z.infer<typeof objectLockSchema>;
}
export type SettingName = keyof BucketSettings;

interface SettingDefinition<T> {
  root: string;
  schema: z.ZodType<T>;
  fromXml(element: unknown): unknown;
  toXml(value: T): XmlMembers;
  /** Throws AwsError for what the schema cannot say. */
  check?(value: T): void;
  missing(bucket: string): AwsError;
}

export const SETTINGS: { [N in SettingName]: SettingDefinition<BucketSettings[N]> } = {
  versioning: {
    root: 'VersioningConfiguration',
    schema: versioningSchema,
    fromXml: (element) => {
      const { Status, MfaDelete } = members(element);
      if (Status === undefined) {
        throw new AwsError(400, 'IllegalVersioningConfigurationException', 'The Versioning element must be specified');
      }
      return MfaDelete === undefined ? { Status } : { Status, MFADelete: MfaDelete };
    },
    toXml: ({ Status }) => ({ Status }),
    missing: () => new AwsError(404, 'NoSuchConfiguration', 'The specified configuration does not exist.'),
  },
  encryption: {
    root: 'ServerSideEncryptionConfiguration',
    schema: encryptionSchema,
    fromXml: encryptionFromXml,
    toXml: encryptionToXml,
    check: checkEncryption,
    missing: missing('ServerSideEncryptionConfigurationNotFoundError', 'The server side encryption configuration was not found'),
  },
  notification: {
    root: 'NotificationConfiguration',
    schema: notificationSchema,
    fromXml: notificationFromXml,
    toXml: notificationToXml,
    check: checkNotification,
    missing: missing('NoSuchConfiguration', 'The specified configuration does not exist.'),
  },
  publicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    schema: publicAccessBlockSchema,
    fromXml: (element) => element,
    toXml: (value) => ({ ...value }),
    missing: missing('NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found'),
  },
  ownershipControls: {
    root: 'OwnershipControls',
    schema: ownershipSchema,
    fromXml: (element) => rename(element, { Rule: 'Rules' }),
    toXml: ({ Rules }) => ({ Rule: Rules }),
    missing: missing('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found'),
  },
  lifecycle: {
    root: 'LifecycleConfiguration',
    schema: lifecycleSchema,
    fromXml: lifecycleFromXml,
    toXml: lifecycleToXml,
    missing: missing('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'),
  },
  tagging: {
    root: 'Tagging',
    schema: tagSetSchema,
    fromXml: (element) => ({ TagSet: list(members(members(element).TagSet).Tag) }),
    toXml: ({ TagSet }) => ({ TagSet: { Tag: TagSet } }),
    check: ({ TagSet }) => checkTags(TagSet, 50),
    missing: missing('NoSuchTagSet', 'The TagSet does not exist'),
  },
  objectLock: {
    root: 'ObjectLockConfiguration',
    schema: objectLockSchema,
    fromXml: objectLockFromXml,
    toXml: objectLockToXml,
    missing: missing('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket'),
  },
};

/** Judges a configuration, from XML or from CloudFormation. Throws AwsError `MalformedXML` and what `check` throws. */
export function parseSetting<N extends SettingName>(name: N, value: unknown): BucketSettings[N] {
  const { schema, check } = SETTINGS[name];
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw malformedXml();
  check?.(parsed.data);
  return parsed.data;
}

function missing(code: string, message: string) {
  return (bucket: string): AwsError => new AwsError(404, code, message, { BucketName: bucket });
}
