/** S3 buckets and their policies. CloudFormation's property names differ from S3's in places. */
import { z } from 'zod';
import { PARTITION, REGION } from '../../account.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text, texts } from '../definition.ts';
import type { Buckets } from '../services.ts';

const filterRules = z.strictObject({ S3Key: z.strictObject({ Rules: z.array(z.strictObject({ Name: text, Value: text })) }) });

const schema = z.strictObject({
  BucketName: text.optional(),
  VersioningConfiguration: z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) }).optional(),
  BucketEncryption: z
    .strictObject({
      ServerSideEncryptionConfiguration: z
        .array(
          z.strictObject({
            BlockedEncryptionTypes: z.strictObject({ EncryptionType: texts }).optional(),
            BucketKeyEnabled: flag.optional(),
            ServerSideEncryptionByDefault: z.strictObject({ SSEAlgorithm: text, KMSMasterKeyID: text.optional() }).optional(),
          }),
        )
        .length(1),
    })
    .optional(),
  NotificationConfiguration: z
    .strictObject({ QueueConfigurations: z.array(z.strictObject({ Event: text, Queue: text, Filter: filterRules.optional() })).optional() })
    .optional(),
  PublicAccessBlockConfiguration: z
    .strictObject({ BlockPublicAcls: flag, BlockPublicPolicy: flag, IgnorePublicAcls: flag, RestrictPublicBuckets: flag })
    .partial()
    .optional(),
  OwnershipControls: z.strictObject({ Rules: z.array(z.strictObject({ ObjectOwnership: text })) }).optional(),
  LifecycleConfiguration: z
    .strictObject({
      Rules: z.array(
        z.strictObject({
          Id: text.optional(),
          Status: z.enum(['Enabled', 'Disabled']),
          Prefix: text.optional(),
          ExpirationInDays: integer.optional(),
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
        .strictObject({ DefaultRetention: z.strictObject({ Mode: text, Days: integer.optional(), Years: integer.optional() }) })
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
      for (const { property, value, put, drop } of settingsOf(properties, s3)) {
        if (value !== undefined && (previous === null || changed.has(property))) put(name, value);
        else if (value === undefined && changed.has(property)) drop?.(name);
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
  value: unknown;
  put(name: string, value: unknown): void;
  /** What removing the property from the template does; absent where S3 has no way back. */
  drop?(name: string): void;
}

function settingsOf(properties: BucketProperties, s3: Buckets): Setting[] {
  return [
    {
      property: 'VersioningConfiguration',
      value: properties.VersioningConfiguration,
      put: (name, value) => putVersioning(s3, name, value),
    },
    { property: 'BucketEncryption', value: encryptionOf(properties), put: s3.putBucketEncryption, drop: s3.deleteBucketEncryption },
    {
      property: 'PublicAccessBlockConfiguration',
      value: properties.PublicAccessBlockConfiguration,
      put: s3.putPublicAccessBlock,
      drop: s3.deletePublicAccessBlock,
    },
    { property: 'OwnershipControls', value: properties.OwnershipControls, put: s3.putOwnershipControls },
    { property: 'LifecycleConfiguration', value: lifecycleOf(properties), put: s3.putLifecycle, drop: s3.deleteLifecycle },
    { property: 'ObjectLockConfiguration', value: properties.ObjectLockConfiguration, put: s3.putObjectLock },
    { property: 'Tags', value: properties.Tags && { TagSet: properties.Tags }, put: s3.putBucketTagging, drop: s3.deleteBucketTagging },
    {
      property: 'NotificationConfiguration',
      value: notificationOf(properties),
      put: s3.putBucketNotification,
      drop: (name) => s3.putBucketNotification(name, {}),
    },
  ];
}

/** A bucket with Object Lock is versioned from its birth, and S3 refuses to be told so again. */
function putVersioning(s3: Buckets, name: string, value: unknown): void {
  const wanted = typeof value === 'object' && value !== null && 'Status' in value ? value.Status : undefined;
  if (s3.settings(name).versioning?.Status !== wanted) s3.putBucketVersioning(name, value);
}

function encryptionOf({ BucketEncryption }: BucketProperties): unknown {
  return (
    BucketEncryption && {
      Rules: BucketEncryption.ServerSideEncryptionConfiguration.map(({ ServerSideEncryptionByDefault, ...rest }) => ({
        ...rest,
        ...(ServerSideEncryptionByDefault && { ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault }),
      })),
    }
  );
}

function lifecycleOf({ LifecycleConfiguration }: BucketProperties): unknown {
  return (
    LifecycleConfiguration && {
      Rules: LifecycleConfiguration.Rules.map(({ Id, Prefix, ExpirationInDays, ...rest }) => ({
        ...(Id !== undefined && { ID: Id }),
        Filter: { Prefix: Prefix ?? '' },
        ...(ExpirationInDays !== undefined && { Expiration: { Days: ExpirationInDays } }),
        ...rest,
      })),
    }
  );
}

/** One entry a queue and filter in S3, one an event in CloudFormation. */
function notificationOf({ NotificationConfiguration }: BucketProperties): unknown {
  return (
    NotificationConfiguration && {
      QueueConfigurations: (NotificationConfiguration.QueueConfigurations ?? []).map(({ Event, Queue, Filter }) => ({
        QueueArn: Queue,
        Events: [Event],
        ...(Filter && { Filter: { Key: { FilterRules: Filter.S3Key.Rules } } }),
      })),
    }
  );
}
