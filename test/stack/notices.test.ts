import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { FUNCTIONS } from '../../stack/names.ts';
import type { Stack } from '../../stack/stack.ts';
import { template } from '../../stack/template.ts';
import { documentOf, KEY_ARN, plain, policyOf, propertiesOf, STACK_KEY_ARN, stackOf } from './stack.ts';

const stack = stackOf();

/** Every rule, by its logical id. */
function rules(of: Stack): Record<string, Record<string, unknown>> {
  const found = Object.entries(template(of).Resources ?? {}).filter(([, { Type }]) => Type === 'AWS::Events::Rule');
  return Object.fromEntries(found.map(([id, { Properties }]) => [id, plain(Properties) as Record<string, unknown>]));
}

describe('rules of EventBridge', () => {
  it('tell the topic, and keep what they could not tell', () => {
    for (const { Name, State, Targets } of Object.values(rules(stack))) {
      expect({ State, Targets }, String(Name)).toEqual({
        State: 'ENABLED',
        Targets: [{ Id: 'alarms', Arn: '<AlarmTopic>', DeadLetterConfig: { Arn: '<NoticesDeadLetterQueue.Arn>' } }],
      });
    }
  });

  it('alone send to their dead-letter queue', () => {
    const { QueueName, SqsManagedSseEnabled, MessageRetentionPeriod } = propertiesOf(stack, 'NoticesDeadLetterQueue');
    const name = `sealdrop-qa-notices-dead-letters-${ACCOUNT_ID}-${REGION}`;
    expect([QueueName, SqsManagedSseEnabled, MessageRetentionPeriod]).toEqual([name, true, 14 * 24 * 3600]);
    const [send, tls, ...others] = documentOf(stack, 'NoticesDeadLetterQueuePolicy', 'PolicyDocument').Statement;
    expect(send).toEqual({
      Sid: 'RulesSend',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`,
      Condition: {
        ArnEquals: {
          'aws:SourceArn': Object.values(rules(stack)).map(({ Name }) => `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/${Name}`),
        },
      },
    });
    expect(tls).toMatchObject({ Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    expect(others).toEqual([]);
  });

  it('have patterns that AWS takes, whatever the number of keys and the length of names', () => {
    const keys = Array.from(
      { length: 40 },
      (_, at) => `arn:aws-us-gov:kms:us-gov-west-1:${ACCOUNT_ID}:key/mrk-${String(at).padStart(32, '0')}`,
    );
    const large = { ...stackOf(policyOf([], { mode: 'sse-kms' }, keys)), stage: 'a'.repeat(16) };
    const patterns = Object.values(rules(large)).map(({ Name, EventPattern }) => {
      const text = JSON.stringify(EventPattern).replaceAll(/<\w+(\.\w+)?>/g, 'x'.repeat(130));
      return { Name, length: text.length };
    });
    expect(patterns.filter(({ length }) => length > 2048)).toEqual([]);
    for (const key of keys) {
      const watching = Object.values(rules(large)).filter(({ EventPattern }) => JSON.stringify(EventPattern).includes(key));
      expect(watching, key).toHaveLength(2);
    }
  });
});

describe('what happens to keys', () => {
  it("is told of the stack's key, of that of operations, of named and former keys", () => {
    const former = KEY_ARN.replaceAll('1', '5');
    const watching = stackOf(
      policyOf([{ match: { prefix: 'a' }, encryption: { mode: 'sse-kms', key: KEY_ARN } }], { mode: 'sse-kms' }, [former]),
    );
    const keys = [STACK_KEY_ARN, '<OperationsKey.Arn>', KEY_ARN, former];
    expect(propertiesOf(watching, 'KeyLifeRule').EventPattern).toMatchObject({ resources: keys });
    expect(propertiesOf(watching, 'KeyChangeRule').EventPattern).toMatchObject({
      detail: {
        eventName: expect.arrayContaining(['DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'CreateGrant']),
        resources: { ARN: keys },
      },
    });
  });

  const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:`;

  it('is told of the secret, however it was named', () => {
    const name = `sealdrop-qa-customer-key-${ACCOUNT_ID}-${REGION}`;
    expect(propertiesOf(stack, 'SecretChangeRule').EventPattern).toMatchObject({
      detail: {
        eventName: expect.arrayContaining(['PutSecretValue', 'ReplicateSecretToRegions']),
        requestParameters: { secretId: ['<CustomerKey>', `${ARN}${name}`, name] },
      },
    });
  });

  it.each(['shared', 'team/shared-key'])('is told of the brought secret %s, however it was named', (name) => {
    const brought = stackOf(policyOf(), { customerKeySecret: `${ARN}${name}-a1B2c3` });
    expect(propertiesOf(brought, 'SecretChangeRule').EventPattern).toMatchObject({
      detail: { requestParameters: { secretId: [`${ARN}${name}-a1B2c3`, `${ARN}${name}`, name] } },
    });
  });
});

describe('what happens to guards', () => {
  const pattern = (id: string, of = stack) => propertiesOf(of, id).EventPattern;

  it('is told of every setting of the three buckets', () => {
    const names = ['ingest', 'target', 'audit'].map((which) => `sealdrop-qa-${which}-${ACCOUNT_ID}-${REGION}`);
    expect(pattern('BucketChangeRule')).toEqual({
      source: ['aws.s3'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: {
        eventSource: ['s3.amazonaws.com'],
        eventName: [{ prefix: 'PutBucket' }, { prefix: 'DeleteBucket' }, 'PutObjectLockConfiguration'],
        requestParameters: { bucketName: names },
      },
    });
  });

  it('is told of buckets that were brought', () => {
    const brought = stackOf(policyOf(), { ingestBucket: 'team-in', targetBucket: 'team-out' });
    expect(pattern('BucketChangeRule', brought)).toMatchObject({
      detail: { requestParameters: { bucketName: ['team-in', 'team-out', expect.stringContaining('-audit-')] } },
    });
  });

  it('is told of every function, named by itself or by ARN, in the request or in the answer', () => {
    const functions = FUNCTIONS.map((name) => ({ suffix: `sealdrop-qa-${name}` }));
    expect(pattern('FunctionChangeRule')).toMatchObject({
      source: ['aws.lambda'],
      detail: { $or: [{ requestParameters: { functionName: functions } }, { responseElements: { functionArn: functions } }] },
    });
  });

  it.each([
    'AddPermission20150331v2',
    'DeleteEventSourceMapping20150331',
    'DeleteFunction20150331',
    'PutFunctionConcurrency20171031',
    'UpdateEventSourceMapping20150331',
    'UpdateFunctionCode20150331v2',
    'UpdateFunctionConfiguration20150331v2',
  ])('is told of %s, as CloudTrail calls it', (eventName) => {
    const { detail } = pattern('FunctionChangeRule') as { detail: { eventName: { prefix: string }[] } };
    expect(detail.eventName.filter(({ prefix }) => eventName.startsWith(prefix))).toHaveLength(1);
  });

  it('is told of every queue', () => {
    const names = Object.values(template(stack).Resources ?? {})
      .filter(({ Type }) => Type === 'AWS::SQS::Queue')
      .map(({ Properties }) => ({ suffix: `/${plain(Properties.QueueName)}` }));
    expect(names).toHaveLength(5);
    expect(pattern('QueueChangeRule')).toMatchObject({
      source: ['aws.sqs'],
      detail: {
        eventName: expect.arrayContaining(['DeleteQueue', 'PurgeQueue', 'SetQueueAttributes']),
        requestParameters: { queueUrl: expect.arrayContaining(names) },
      },
    });
  });

  it.each([
    [stack, `sealdrop-qa-audit-${ACCOUNT_ID}-${REGION}`],
    [stackOf(policyOf(), { auditTable: 'team-trail' }), 'team-trail'],
  ])('is told of the table, by its name or ARN', (of, name) => {
    const table = [name, { suffix: `/${name}` }];
    expect(pattern('TableChangeRule', of)).toMatchObject({
      source: ['aws.dynamodb'],
      detail: {
        eventName: expect.arrayContaining(['PutResourcePolicy', 'DeleteResourcePolicy', 'DeleteTable', 'UpdateTimeToLive']),
        $or: [{ requestParameters: { tableName: table } }, { requestParameters: { resourceArn: table } }],
      },
    });
  });

  it.each(['BucketChangeRule', 'TableChangeRule', 'FunctionChangeRule', 'QueueChangeRule'])(
    '%s says that deployments are told, too',
    (id) => {
      expect(propertiesOf(stack, id).Description).toMatch(/A deployment that changes them is told as well\.$/);
    },
  );
});
