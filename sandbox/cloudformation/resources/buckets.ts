/** S3 buckets and their policies. CloudFormation's property names differ from S3's in places. */
import { z } from 'zod';
import { PARTITION, REGION } from '../../account.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text } from '../definition.ts';
import type { Services } from '../services.ts';

const off = flag.default(false);
const filterRules = z.strictObject({ S3Key: z.strictObject({ Rules: z.array(z.strictObject({ Name: text, Value: text })) }) });

const schema = z.strictObject({
  BucketName: text.optional(),
  VersioningConfiguration: z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) }).optional(),
  BucketEncryption: z
    .strictObject({
      ServerSideEncryptionConfiguration: z
        .array(
          z.strictObject({
            BlockedEncryptionTypes: z.strictObject({ EncryptionType: z.array(z.enum(['NONE', 'SSE-C'])) }).optional(),
            BucketKeyEnabled: flag.optional(),
            ServerSideEncryptionByDefault: z
              .strictObject({ SSEAlgorithm: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']), KMSMasterKeyID: text.optional() })
              .optional(),
          }),
        )
        .length(1),
    })
    .optional(),
  NotificationConfiguration: z
    .strictObject({ QueueConfigurations: z.array(z.strictObject({ Event: text, Queue: text, Filter: filterRules.optional() })).optional() })
    .optional(),
  PublicAccessBlockConfiguration: z
    .strictObject({ BlockPublicAcls: off, BlockPublicPolicy: off, IgnorePublicAcls: off, RestrictPublicBuckets: off })
    .optional(),
  OwnershipControls: z
    .strictObject({
      Rules: z.array(z.strictObject({ ObjectOwnership: z.enum(['BucketOwnerPreferred', 'ObjectWriter', 'BucketOwnerEnforced']) })),
    })
    .optional(),
  LifecycleConfiguration: z
    .strictObject({
      Rules: z.array(
        z.strictObject({
          Id: text.optional(),
          Status: z.enum(['Enabled', 'Disabled']),
          Prefix: text.optional(),
          ExpirationInDays: integer.optional(),
          ExpiredObjectDeleteMarker: flag.optional(),
          AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: integer }).optional(),
          NoncurrentVersionExpiration: z.strictObject({ NoncurrentDays: integer, NewerNoncurrentVersions: integer.optional() }).optional(),
        }),
      ),
    })
    .optional(),
  ObjectLockEnabled: flag.optional(),
  ObjectLockConfiguration: z
    .strictObject({
      ObjectLockEnabled: z.literal('Enabled'),
      Rule: z
        .strictObject({
          DefaultRetention: z.strictObject({
            Mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
            Days: integer.optional(),
            Years: integer.optional(),
          }),
        })
        .optional(),
    })
    .optional(),
  Tags: tags.optional(),
});

type BucketProperties = z.output<typeof schema>;

export const bucketResources: Record<'AWS::S3::Bucket' | 'AWS::S3::BucketPolicy', Definition> = {
  'AWS::S3::Bucket': define({
    schema,
    replacedBy: ['BucketName', 'ObjectLockEnabled'],
    nameProperty: 'BucketName',
    holdsData: true,
    apply({ properties, previous, changed, generatedName, services: { s3 } }) {
      const name = properties.BucketName ?? generatedName;
      if (!s3.bucketExists(name)) s3.createBucket(name, { objectLock: properties.ObjectLockEnabled ?? false });
      for (const { property, put, drop } of settingsOf(name, properties, s3)) {
        if (properties[property] === undefined) {
          if (changed.has(property)) drop();
        } else if (previous === null || changed.has(property)) put();
      }
      return {
        physicalId: name,
        attributes: {
          Arn: `arn:${PARTITION}:s3:::${name}`,
          DomainName: `${name}.s3.amazonaws.com`,
          RegionalDomainName: `${name}.s3.${REGION}.amazonaws.com`,
        },
      };
    },
    remove: ({ physicalId }, { s3 }) => s3.deleteBucket(physicalId),
  }),
  'AWS::S3::BucketPolicy': define({
    schema: z.strictObject({ Bucket: text, PolicyDocument: policyDocument }),
    replacedBy: ['Bucket'],
    apply({ properties, services: { s3 } }) {
      s3.putBucketPolicy(properties.Bucket, JSON.stringify(properties.PolicyDocument));
      return { physicalId: properties.Bucket, attributes: {} };
    },
    remove: ({ physicalId }, { s3 }) => s3.deleteBucketPolicy(physicalId),
  }),
};

interface Setting {
  property: keyof BucketProperties;
  put(): void;
  /** What removing the property from the template does; nothing where S3 has no way back. */
  drop(): void;
}

function settingsOf(name: string, properties: BucketProperties, s3: Services['s3']): Setting[] {
  const setting = <Property extends keyof BucketProperties>(
    property: Property,
    put: (value: NonNullable<BucketProperties[Property]>) => void,
    drop: () => void = () => {},
  ): Setting => {
    const value = properties[property];
    return { property, put: () => value !== undefined && value !== null && put(value), drop };
  };
  return [
    setting('VersioningConfiguration', (value) => {
      // A bucket with Object Lock is versioned from its birth, and S3 refuses to be told so again.
      if (s3.settings(name).versioning?.Status !== value.Status) s3.putBucketVersioning(name, value);
    }),
    setting(
      'BucketEncryption',
      (value) => s3.putBucketEncryption(name, encryptionOf(value)),
      () => s3.deleteBucketEncryption(name),
    ),
    setting(
      'PublicAccessBlockConfiguration',
      (value) => s3.putPublicAccessBlock(name, value),
      () => s3.deletePublicAccessBlock(name),
    ),
    setting('OwnershipControls', (value) => s3.putOwnershipControls(name, value)),
    setting(
      'LifecycleConfiguration',
      (value) => s3.putLifecycle(name, lifecycleOf(value)),
      () => s3.deleteLifecycle(name),
    ),
    setting('ObjectLockConfiguration', (value) => s3.putObjectLock(name, value)),
    setting(
      'Tags',
      (TagSet) => s3.putBucketTagging(name, { TagSet }),
      () => s3.deleteBucketTagging(name),
    ),
    setting(
      'NotificationConfiguration',
      (value) => s3.putBucketNotification(name, notificationOf(value)),
      () => s3.putBucketNotification(name, {}),
    ),
  ];
}

type Given<Property extends keyof BucketProperties> = NonNullable<BucketProperties[Property]>;

function encryptionOf({ ServerSideEncryptionConfiguration }: Given<'BucketEncryption'>) {
  return {
    Rules: ServerSideEncryptionConfiguration.map(({ ServerSideEncryptionByDefault, ...rest }) => ({
      ...rest,
      ...(ServerSideEncryptionByDefault && { ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault }),
    })),
  };
}

function lifecycleOf({ Rules }: Given<'LifecycleConfiguration'>) {
  return {
    Rules: Rules.map(({ Id, Prefix, ExpirationInDays: Days, ExpiredObjectDeleteMarker, ...rest }) => {
      const Expiration = {
        ...(Days !== undefined && { Days }),
        ...(ExpiredObjectDeleteMarker !== undefined && { ExpiredObjectDeleteMarker }),
      };
      return {
        ...(Id !== undefined && { ID: Id }),
        Filter: { Prefix: Prefix ?? '' },
        ...(Object.keys(Expiration).length > 0 && { Expiration }),
        ...rest,
      };
    }),
  };
}

/** One entry a queue and filter in S3, one an event in CloudFormation. */
function notificationOf({ QueueConfigurations = [] }: Given<'NotificationConfiguration'>) {
  return {
    QueueConfigurations: QueueConfigurations.map(({ Event, Queue, Filter }) => ({
      QueueArn: Queue,
      Events: [Event],
      ...(Filter && { Filter: { Key: { FilterRules: Filter.S3Key.Rules } } }),
    })),
  };
}
