/** DynamoDB tables. */
import { z } from 'zod';
import { ACCOUNT_ID, PARTITION, REGION } from '../../account.ts';
import { AwsError } from '../../aws-error.ts';
import { type Definition, define, flag, integer, policyDocument, tags, text } from '../definition.ts';
import type { Services } from '../services.ts';

const keySchema = z.array(z.strictObject({ AttributeName: text, KeyType: z.enum(['HASH', 'RANGE']) }));
const throughput = z.strictObject({ ReadCapacityUnits: integer, WriteCapacityUnits: integer });
const projection = z.strictObject({ ProjectionType: text.optional(), NonKeyAttributes: z.array(text).optional() });
const index = z.strictObject({
  IndexName: text,
  KeySchema: keySchema,
  Projection: projection,
  ProvisionedThroughput: throughput.optional(),
});

const schema = z.strictObject({
  TableName: text.optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: text, AttributeType: z.enum(['S', 'N', 'B']) })),
  BillingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']).optional(),
  KeySchema: keySchema,
  ProvisionedThroughput: throughput.optional(),
  GlobalSecondaryIndexes: z.array(index).optional(),
  LocalSecondaryIndexes: z.array(index.omit({ ProvisionedThroughput: true })).optional(),
  StreamSpecification: z.strictObject({ StreamViewType: text }).optional(),
  TimeToLiveSpecification: z.strictObject({ AttributeName: text, Enabled: flag }).optional(),
  PointInTimeRecoverySpecification: z
    .strictObject({ PointInTimeRecoveryEnabled: flag, RecoveryPeriodInDays: integer.optional() })
    .optional(),
  SSESpecification: z.strictObject({ SSEEnabled: flag, SSEType: text.optional(), KMSMasterKeyId: text.optional() }).optional(),
  DeletionProtectionEnabled: flag.optional(),
  ResourcePolicy: z.strictObject({ PolicyDocument: policyDocument }).optional(),
  Tags: tags.optional(),
});

type TableProperties = z.output<typeof schema>;

export const tableResources: Record<'AWS::DynamoDB::Table', Definition> = {
  'AWS::DynamoDB::Table': define({
    schema,
    replacedBy: ['TableName', 'KeySchema', 'LocalSecondaryIndexes'],
    nameProperty: 'TableName',
    holdsData: true,
    async apply({ properties, previous, changed, generatedName, services: { dynamodb } }) {
      const TableName = properties.TableName ?? generatedName;
      const Arn = `arn:${PARTITION}:dynamodb:${REGION}:${ACCOUNT_ID}:table/${TableName}`;
      const Policy = properties.ResourcePolicy && JSON.stringify(properties.ResourcePolicy.PolicyDocument);
      const isNew = (await describeTable(dynamodb, TableName)) === null;
      if (isNew)
        await dynamodb.call('CreateTable', {
          TableName,
          ...keysOf(properties),
          ...settingsOf(properties),
          ...given({ ResourcePolicy: Policy }),
        });
      else if (changed.has('GlobalSecondaryIndexes') || changed.has('AttributeDefinitions')) {
        throw new AwsError(501, 'NotImplemented', 'The sandbox does not change the indexes of a table that exists');
      } else if (changed.size > 0) await dynamodb.call('UpdateTable', { TableName, ...settingsOf(properties) });
      if (!isNew && (previous === null || changed.has('ResourcePolicy'))) {
        if (Policy !== undefined) await dynamodb.call('PutResourcePolicy', { ResourceArn: Arn, Policy });
        else await dynamodb.call('DeleteResourcePolicy', { ResourceArn: Arn });
      }
      const { PointInTimeRecoverySpecification } = properties;
      if (PointInTimeRecoverySpecification !== undefined && (previous === null || changed.has('PointInTimeRecoverySpecification'))) {
        await dynamodb.call('UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification });
      }
      if (properties.TimeToLiveSpecification?.Enabled !== undefined && (previous === null || changed.has('TimeToLiveSpecification'))) {
        await dynamodb.call('UpdateTimeToLive', { TableName, TimeToLiveSpecification: properties.TimeToLiveSpecification });
      }
      const stream: Record<string, string> =
        properties.StreamSpecification === undefined ? {} : { StreamArn: `${Arn}/stream/2026-01-01T00:00:00.000` };
      return { physicalId: TableName, attributes: { Arn, ...stream } };
    },
    remove: async ({ physicalId }, { dynamodb }) => void (await dynamodb.call('DeleteTable', { TableName: physicalId })),
  }),
};

async function describeTable(dynamodb: Services['dynamodb'], TableName: string): Promise<Record<string, unknown> | null> {
  try {
    return await dynamodb.call('DescribeTable', { TableName });
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return null;
    throw error;
  }
}

/** What a table is, from CreateTable on. */
function keysOf({
  AttributeDefinitions,
  KeySchema,
  GlobalSecondaryIndexes,
  LocalSecondaryIndexes,
}: TableProperties): Record<string, unknown> {
  return { AttributeDefinitions, KeySchema, ...given({ GlobalSecondaryIndexes, LocalSecondaryIndexes }) };
}

/** What UpdateTable can change as well. */
function settingsOf({
  BillingMode,
  ProvisionedThroughput,
  DeletionProtectionEnabled,
  SSESpecification,
  StreamSpecification,
}: TableProperties): Record<string, unknown> {
  return {
    ...given({ BillingMode, ProvisionedThroughput, DeletionProtectionEnabled }),
    ...(SSESpecification && {
      SSESpecification: {
        ...given({ SSEType: SSESpecification.SSEType, KMSMasterKeyId: SSESpecification.KMSMasterKeyId }),
        Enabled: SSESpecification.SSEEnabled,
      },
    }),
    ...(StreamSpecification && { StreamSpecification: { StreamEnabled: true, StreamViewType: StreamSpecification.StreamViewType } }),
  };
}

function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
