import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStackBench, type StackBench } from './workbench.ts';

let bench: StackBench;
beforeEach(() => {
  bench = openStackBench();
});
afterEach(() => bench.close());

const ACCOUNT = 'us-east-1:000000000000';

const topicPolicy = (key: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Principal: '*', Action: 'sns:Publish', Resource: '*', Condition: { Bool: { [key]: 'false' } } }],
});

/** One of each type, as a stack would have it. */
const MONITORING = {
  Group: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/lambda/x', RetentionInDays: '30' } },
  Filter: {
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: { Ref: 'Group' },
      FilterPattern: 'ERROR',
      MetricTransformations: [{ MetricName: 'Errors', MetricNamespace: 'Own', MetricValue: '1' }],
    },
  },
  Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alarms', KmsMasterKeyId: 'alias/aws/sns' } },
  TopicPolicy: {
    Type: 'AWS::SNS::TopicPolicy',
    Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: topicPolicy('aws:SecureTransport') },
  },
  Subscription: {
    Type: 'AWS::SNS::Subscription',
    Properties: { TopicArn: { Ref: 'Topic' }, Protocol: 'email', Endpoint: 'ops@example.com' },
  },
  Alarm: {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: 'late',
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: [{ Name: 'QueueName', Value: 'work' }],
      Statistic: 'Maximum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: '0.5',
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'Topic' }],
    },
  },
  Dashboard: {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardName: 'all', DashboardBody: { 'Fn::Sub': `{"widgets":["\${AWS::Region}"]}` } },
  },
  Rule: {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'keys',
      State: 'ENABLED',
      EventPattern: { source: ['aws.kms'] },
      Targets: [{ Id: 'topic', Arn: { Ref: 'Topic' } }],
    },
  },
  Trail: { Type: 'AWS::CloudTrail::Trail', Properties: { TrailName: 'reads', S3BucketName: 'audit', IsLogging: true } },
};

test('what tells people is taken as it stands, and can be referred to', async () => {
  const values = {
    Group: { Ref: 'Group' },
    GroupArn: { 'Fn::GetAtt': 'Group.Arn' },
    Topic: { Ref: 'Topic' },
    TopicName: { 'Fn::GetAtt': 'Topic.TopicName' },
    Alarm: { Ref: 'Alarm' },
    AlarmArn: { 'Fn::GetAtt': 'Alarm.Arn' },
    Dashboard: { Ref: 'Dashboard' },
    Rule: { Ref: 'Rule' },
    RuleArn: { 'Fn::GetAtt': 'Rule.Arn' },
    TrailArn: { 'Fn::GetAtt': 'Trail.Arn' },
  };
  const Outputs = Object.fromEntries(Object.entries(values).map(([name, Value]) => [name, { Value }]));
  expect((await bench.deploy(MONITORING, { Outputs })).outputs).toEqual({
    Group: '/aws/lambda/x',
    GroupArn: `arn:aws:logs:${ACCOUNT}:log-group:/aws/lambda/x:*`,
    Topic: `arn:aws:sns:${ACCOUNT}:alarms`,
    TopicName: 'alarms',
    Alarm: 'late',
    AlarmArn: `arn:aws:cloudwatch:${ACCOUNT}:alarm:late`,
    Dashboard: 'all',
    Rule: 'keys',
    RuleArn: `arn:aws:events:${ACCOUNT}:rule/keys`,
    TrailArn: `arn:aws:cloudtrail:${ACCOUNT}:trail/reads`,
  });
});

describe('a mistake is an error by name', () => {
  test.each<[keyof typeof MONITORING, object, RegExp]>([
    ['Group', { RetentionInDays: 31 }, /RetentionInDays: must be one of 1, 3, 5, 7/],
    ['Group', { Retention: 30 }, /does not know the property Retention\. It knows here: LogGroupName/],
    ['Filter', { MetricTransformations: [] }, /MetricTransformations/],
    ['Topic', { Encrypted: true }, /does not know the property Encrypted/],
    ['TopicPolicy', { PolicyDocument: topicPolicy('aws:SecureTransports') }, /PolicyDocument: .*aws:SecureTransports/],
    ['Subscription', { Protocol: 'mail' }, /Protocol/],
    ['Alarm', { TreatMissingData: 'notbreaching' }, /TreatMissingData/],
    ['Alarm', { ComparisonOperator: '>' }, /ComparisonOperator/],
    ['Alarm', { Threshold: 'none' }, /Threshold/],
    ['Alarm', { Dimensions: [{ Name: 'QueueName', Values: ['work'] }] }, /Dimensions\.0\.Values\. It knows here: Name, Value/],
    ['Dashboard', { DashboardBody: '{"widgets":[}' }, /DashboardBody: is no JSON/],
    ['Rule', { Targets: [{ Id: 'x' }] }, /Targets\.0\.Arn/],
    ['Rule', { Target: [] }, /does not know the property Target\. It knows here: Name/],
    ['Trail', { IsLogging: undefined }, /IsLogging/],
  ])('%s %j', async (logicalId, properties, message) => {
    const resource = MONITORING[logicalId];
    const wrong = { ...resource, Properties: { ...resource.Properties, ...properties } };
    await expect(bench.deploy({ ...MONITORING, [logicalId]: wrong })).rejects.toThrow(message);
  });
});
