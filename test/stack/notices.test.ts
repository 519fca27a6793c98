import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
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
