/**
 * What tells people: logs, alarms, dashboards, topics, rules of EventBridge, trails. They have no meaning here (functions'
 * output goes to files, and nobody is paged from a laptop), but their shape is checked, so that a typo is found.
 */
import { z } from 'zod';
import { ACCOUNT_ID, PARTITION, REGION } from '../../account.ts';
import { parsePolicy } from '../../iam/policy.ts';
import { PolicyError } from '../../iam/policy-error.ts';
import { type Definition, type Deployed, define, flag, integer, number, policyDocument, tags, text, texts } from '../definition.ts';

type MonitoringType =
  | 'AWS::Logs::LogGroup'
  | 'AWS::Logs::MetricFilter'
  | 'AWS::CloudWatch::Alarm'
  | 'AWS::CloudWatch::Dashboard'
  | 'AWS::SNS::Topic'
  | 'AWS::SNS::TopicPolicy'
  | 'AWS::SNS::Subscription'
  | 'AWS::Events::Rule'
  | 'AWS::CloudTrail::Trail';

const json = text.refine(isJson, 'is no JSON');
/** Nobody publishes here, but what the judge does not know is an error in this policy as in every other. */
const topicPolicy = policyDocument.superRefine((document, context) => {
  try {
    parsePolicy(document, 'resource');
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
const dimensions = z.array(z.strictObject({ Name: text, Value: text }));

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const metric = z.strictObject({
  Id: text,
  Expression: text.optional(),
  Label: text.optional(),
  Period: integer.optional(),
  ReturnData: flag.optional(),
  AccountId: text.optional(),
  MetricStat: z
    .strictObject({
      Metric: z.strictObject({ Namespace: text, MetricName: text, Dimensions: dimensions.optional() }),
      Period: integer,
      Stat: text,
      Unit: text.optional(),
    })
    .optional(),
});

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
const alarm = z.strictObject({
  AlarmName: text.optional(),
  AlarmDescription: text.optional(),
  ActionsEnabled: flag.optional(),
  AlarmActions: z.array(text).optional(),
  OKActions: z.array(text).optional(),
  InsufficientDataActions: z.array(text).optional(),
  ComparisonOperator: z.enum([
    'GreaterThanOrEqualToThreshold',
    'GreaterThanThreshold',
    'LessThanThreshold',
    'LessThanOrEqualToThreshold',
    'LessThanLowerOrGreaterThanUpperThreshold',
    'LessThanLowerThreshold',
    'GreaterThanUpperThreshold',
  ]),
  Namespace: text.optional(),
  MetricName: text.optional(),
  Dimensions: dimensions.optional(),
  Metrics: z.array(metric).optional(),
  Statistic: z.enum(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum']).optional(),
  ExtendedStatistic: text.optional(),
  Period: integer.optional(),
  EvaluationPeriods: integer,
  DatapointsToAlarm: integer.optional(),
  Threshold: number.optional(),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']).optional(),
  Unit: text.optional(),
  Tags: tags.optional(),
});

const rule = z.strictObject({
  Name: text.optional(),
  Description: text.optional(),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: text.optional(),
  State: z.enum(['DISABLED', 'ENABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS']).optional(),
  Targets: z
    .array(
      z.strictObject({
        Id: text,
        Arn: text,
        RoleArn: text.optional(),
        Input: text.optional(),
        InputPath: text.optional(),
        InputTransformer: z.strictObject({ InputPathsMap: z.record(z.string(), text).optional(), InputTemplate: text }).optional(),
        DeadLetterConfig: z.strictObject({ Arn: text }).optional(),
        RetryPolicy: z.strictObject({ MaximumEventAgeInSeconds: integer.optional(), MaximumRetryAttempts: integer.optional() }).optional(),
      }),
    )
    .optional(),
  Tags: tags.optional(),
});

const trail = z.strictObject({
  TrailName: text.optional(),
  S3BucketName: text,
  S3KeyPrefix: text.optional(),
  IsLogging: flag,
  IsMultiRegionTrail: flag.optional(),
  IncludeGlobalServiceEvents: flag.optional(),
  EnableLogFileValidation: flag.optional(),
  KMSKeyId: text.optional(),
  EventSelectors: z
    .array(
      z.strictObject({
        IncludeManagementEvents: flag.optional(),
        ReadWriteType: z.enum(['All', 'ReadOnly', 'WriteOnly']).optional(),
        ExcludeManagementEventSources: z.array(text).optional(),
        DataResources: z.array(z.strictObject({ Type: text, Values: z.array(text).optional() })).optional(),
      }),
    )
    .optional(),
  AdvancedEventSelectors: z
    .array(
      z.strictObject({
        Name: text.optional(),
        FieldSelectors: z.array(
          z.strictObject({
            Field: text,
            Equals: z.array(text).optional(),
            NotEquals: z.array(text).optional(),
            StartsWith: z.array(text).optional(),
            NotStartsWith: z.array(text).optional(),
            EndsWith: z.array(text).optional(),
            NotEndsWith: z.array(text).optional(),
          }),
        ),
      }),
    )
    .optional(),
  Tags: tags.optional(),
});

export const monitoringResources: Record<MonitoringType, Definition> = {
  'AWS::Logs::LogGroup': inert(
    z.strictObject({
      LogGroupName: text.optional(),
      RetentionInDays: integer.refine((days) => RETENTION_DAYS.includes(days), `must be one of ${RETENTION_DAYS.join(', ')}`).optional(),
      KmsKeyId: text.optional(),
      LogGroupClass: z.enum(['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY']).optional(),
      DeletionProtectionEnabled: flag.optional(),
      Tags: tags.optional(),
    }),
    ({ LogGroupName }, generated) => named(LogGroupName ?? generated, (name) => ({ Arn: `${arn('logs', `log-group:${name}`)}:*` })),
  ),
  'AWS::Logs::MetricFilter': inert(
    z.strictObject({
      FilterName: text.optional(),
      FilterPattern: text,
      LogGroupName: text,
      MetricTransformations: z
        .array(
          z.strictObject({
            MetricName: text,
            MetricNamespace: text,
            MetricValue: text,
            DefaultValue: number.optional(),
            Dimensions: z.array(z.strictObject({ Key: text, Value: text })).optional(),
            Unit: text.optional(),
          }),
        )
        .length(1),
    }),
    ({ FilterName }, generated) => named(FilterName ?? generated),
  ),
  'AWS::CloudWatch::Alarm': inert(alarm, ({ AlarmName }, generated) =>
    named(AlarmName ?? generated, (name) => ({ Arn: arn('cloudwatch', `alarm:${name}`) })),
  ),
  'AWS::CloudWatch::Dashboard': inert(
    z.strictObject({ DashboardName: text.optional(), DashboardBody: json, Tags: tags.optional() }),
    ({ DashboardName }, generated) => named(DashboardName ?? generated),
  ),
  'AWS::SNS::Topic': inert(
    z.strictObject({
      TopicName: text.optional(),
      DisplayName: text.optional(),
      KmsMasterKeyId: text.optional(),
      SignatureVersion: z.enum(['1', '2']).optional(),
      TracingConfig: z.enum(['PassThrough', 'Active']).optional(),
      Subscription: z.array(z.strictObject({ Endpoint: text, Protocol: text })).optional(),
      Tags: tags.optional(),
    }),
    ({ TopicName = '' }, generated) => {
      const name = TopicName || generated;
      return { physicalId: arn('sns', name), attributes: { TopicArn: arn('sns', name), TopicName: name } };
    },
  ),
  'AWS::SNS::TopicPolicy': inert(z.strictObject({ Topics: texts, PolicyDocument: topicPolicy }), (_properties, generated) =>
    named(generated, (Id) => ({ Id })),
  ),
  'AWS::SNS::Subscription': inert(
    z.strictObject({
      TopicArn: text,
      Protocol: z.enum(['http', 'https', 'email', 'email-json', 'sms', 'sqs', 'application', 'lambda', 'firehose']),
      Endpoint: text.optional(),
      FilterPolicy: z.record(z.string(), z.unknown()).optional(),
      FilterPolicyScope: z.enum(['MessageAttributes', 'MessageBody']).optional(),
      RawMessageDelivery: flag.optional(),
      RedrivePolicy: z.strictObject({ deadLetterTargetArn: text }).optional(),
    }),
    ({ TopicArn }, generated) => named(`${TopicArn}:${generated}`, (Arn) => ({ Arn })),
  ),
  'AWS::Events::Rule': inert(rule, ({ Name }, generated) =>
    named(Name ?? generated, (RuleName) => ({ Arn: arn('events', `rule/${RuleName}`), RuleName })),
  ),
  'AWS::CloudTrail::Trail': inert(trail, ({ TrailName }, generated) =>
    named(TrailName ?? generated, (name) => ({ Arn: arn('cloudtrail', `trail/${name}`) })),
  ),
};

/** A type of which only its name and ARN matter to the rest of the stack. */
function inert<Schema extends z.ZodObject>(
  schema: Schema,
  identify: (properties: z.output<Schema>, generatedName: string) => Deployed,
): Definition {
  return define({ schema, apply: ({ properties, generatedName }) => identify(properties, generatedName) });
}

function named(name: string, attributes: (name: string) => Record<string, string> = () => ({})): Deployed {
  return { physicalId: name, attributes: attributes(name) };
}

function arn(service: string, resource: string): string {
  return `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
