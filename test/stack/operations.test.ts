import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { environment } from '../../stack/environment.ts';
import { FUNCTIONS } from '../../stack/names.ts';
import { template } from '../../stack/template.ts';
import { TIMEOUTS } from '../../stack/timeouts.ts';
import { documentOf, has, plain, policyOf, propertiesOf, stackOf } from './stack.ts';

const stack = stackOf();

function all(type: string): Record<string, Record<string, unknown>> {
  const found = Object.entries(template(stack).Resources ?? {}).filter(([, { Type }]) => Type === type);
  return Object.fromEntries(found.map(([id, { Properties }]) => [id, plain(Properties) as Record<string, unknown>]));
}

describe('queues', () => {
  it.each([
    ['IngestQueue', 'encrypt', 5],
    ['TargetEventsQueue', 'audit', 10],
  ] as const)('%s waits six time-outs of its function and gives up after %i deliveries', (id, name, maxReceiveCount) => {
    const queue = propertiesOf(stack, id);
    expect(queue).toMatchObject({ VisibilityTimeout: 6 * TIMEOUTS[name], RedrivePolicy: { maxReceiveCount }, SqsManagedSseEnabled: true });
    expect(plain(environment(stack)[name].MAX_RECEIVE_COUNT)).toBe(String(maxReceiveCount));
  });

  it.each([
    ['DeadLetterQueue', 'IngestQueue'],
    ['TargetEventsDeadLetterQueue', 'TargetEventsQueue'],
  ])('%s keeps its messages longer than %s', (id, source) => {
    const retention = (queue: string) => Number(propertiesOf(stack, queue).MessageRetentionPeriod);
    expect(retention(id)).toBeGreaterThan(retention(source));
  });

  it('are filled by their bucket alone, and reached by TLS alone', () => {
    for (const [id, source] of [
      ['IngestQueuePolicy', 'ingest'],
      ['TargetEventsQueuePolicy', 'target'],
    ] as const) {
      const [send, tls] = documentOf(stack, id, 'PolicyDocument').Statement;
      expect(send).toMatchObject({
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: ['sqs:SendMessage'],
        Condition: {
          ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::sealdrop-qa-${source}-${ACCOUNT_ID}-${REGION}` },
          StringEquals: { 'aws:SourceAccount': ACCOUNT_ID },
        },
      });
      expect(tls).toMatchObject({ Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    }
  });

  it("take events of a brought bucket from its owner's account", () => {
    const brought = stackOf(policyOf(), { targetBucket: 'team-out', targetBucketOwner: '444455556666' });
    expect(documentOf(brought, 'TargetEventsQueuePolicy', 'PolicyDocument').Statement[0]?.Condition).toEqual({
      ArnEquals: { 'aws:SourceArn': 'arn:aws:s3:::team-out' },
      StringEquals: { 'aws:SourceAccount': '444455556666' },
    });
  });
});

describe('alarms', () => {
  const alarms = all('AWS::CloudWatch::Alarm');
  const names = Object.values(alarms).map(({ AlarmName }) => String(AlarmName));

  it('watch what nobody looks at', () => {
    expect(names.map((name) => name.replace('sealdrop-qa-', '')).sort()).toEqual([
      'api-errors',
      'audit-errors',
      'audit-near-time-out',
      'audit-throttles',
      'authorize-throttles',
      'denied-kms-calls',
      'download-errors',
      'download-near-time-out',
      'download-throttles',
      'drift-found',
      'encrypt-errors',
      'encrypt-near-time-out',
      'encrypt-throttles',
      'foreign-deletes',
      'foreign-writes',
      'health-errors',
      'health-throttles',
      'history-errors',
      'history-throttles',
      'ingest-dead-letters',
      'ingest-queue-is-late',
      'list-errors',
      'list-throttles',
      'notices-dead-letters',
      'target-events-dead-letters',
      'target-events-queue-is-late',
    ]);
  });

  it('go to the topic and say when they are over', () => {
    for (const { AlarmName, AlarmActions, OKActions } of Object.values(alarms)) {
      expect([AlarmActions, OKActions], String(AlarmName)).toEqual([['<AlarmTopic>'], ['<AlarmTopic>']]);
    }
  });

  it.each([
    ['IngestQueue', 2700],
    ['TargetEventsQueue', 1080],
  ] as const)('call %s late a quarter of an hour after its messages would be seen again', (id, seconds) => {
    const alarm = alarms[`${id.replace('Queue', '')}QueueIsLateAlarm`];
    expect(alarm).toMatchObject({ MetricName: 'ApproximateAgeOfOldestMessage', Threshold: seconds });
    expect(seconds).toBe(Number(propertiesOf(stack, id).VisibilityTimeout) + 900);
    expect(String(alarm?.AlarmDescription)).toContain(`${seconds / 60} minutes`);
  });

  it.each(['DeniedKmsCalls', 'DriftFound', 'ForeignDeletes', 'ForeignWrites'])('begin with the first of %s', (metric) => {
    expect(alarms[`${metric}Alarm`]).toMatchObject({
      Namespace: 'Sealdrop',
      MetricName: metric,
      Dimensions: [{ Name: 'stack', Value: 'sealdrop-qa' }],
      Statistic: 'Sum',
      Threshold: 0,
    });
  });

  it('begin with the first dead letter', () => {
    expect(alarms.IngestDeadLettersAlarm).toMatchObject({ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', Statistic: 'Maximum' });
  });

  it.each([
    ['Encrypt', 290, 300],
    ['Audit', 24, 30],
    ['Download', 720, 900],
  ])('begin when %s took more than %i of %i seconds', (name, near, all) => {
    const alarm = alarms[`${name}NearTimeOutAlarm`];
    expect(alarm).toMatchObject({ MetricName: 'Duration', Statistic: 'Maximum', Threshold: near * 1000 });
    expect(String(alarm?.AlarmDescription)).toContain(`more than ${near} of its ${all} seconds`);
  });

  it('are silent about an encrypt function that stops itself before its time', () => {
    const givesUp = /giveUpMs: ([\d_]+)/.exec(readFileSync(join(import.meta.dirname, '../../handlers/encrypt.ts'), 'utf8'))?.[1] ?? '';
    const stopsMs = TIMEOUTS.encrypt * 1000 - Number(givesUp.replaceAll('_', ''));
    expect(stopsMs).toBeGreaterThan(0);
    expect(Number(alarms.EncryptNearTimeOutAlarm?.Threshold)).toBeGreaterThan(stopsMs);
  });
});

describe('notifications', () => {
  it('are mailed only where somebody said to whom', () => {
    expect(has(stack, 'AlarmEmail')).toBe(false);
    expect(propertiesOf(stackOf(policyOf(), { alarmEmail: 'ops@example.com' }), 'AlarmEmail')).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });

  it('are encrypted under a key that does not go with the objects', () => {
    expect(propertiesOf(stack, 'AlarmTopic').KmsMasterKeyId).toBe('<OperationsKey>');
  });
});

describe('the dashboard', () => {
  it('has a name for each Region, since an account has one list of them', () => {
    expect(propertiesOf(stack, 'Dashboard').DashboardName).toBe(`sealdrop-qa-${REGION}`);
  });

  it('is JSON that shows every function and queue', () => {
    const { DashboardBody } = propertiesOf(stack, 'Dashboard');
    const { widgets } = JSON.parse(String(DashboardBody)) as { widgets: { properties: { region: string } }[] };
    expect(widgets.length).toBeGreaterThan(8);
    expect(widgets.every(({ properties }) => properties.region === REGION)).toBe(true);
    for (const name of FUNCTIONS) expect(String(DashboardBody)).toContain(`sealdrop-qa-${name}`);
  });
});

describe('limits', () => {
  it('stop a policy that AWS would refuse for its length, with what to do', () => {
    const rules = Array.from({ length: 150 }, (_, at) => ({
      match: { prefix: `department-${at}/`, suffix: '.pdf' },
      encryption: { mode: at % 2 ? 'sse-s3' : 'sse-c' },
    }));
    let message = '';
    try {
      template(stackOf(policyOf(rules)));
    } catch (error) {
      if (error instanceof Error) message = error.stack ?? '';
    }
    expect(message).toMatch(/^\nTargetBucketPolicy: its policy has \d+ bytes, AWS takes 20480 \(https:.*\)\. Name fewer prefixes/);
  });

  it('take some dozens of rules', () => {
    const rules = Array.from({ length: 40 }, (_, at) => ({
      match: { prefix: `department-${at}/` },
      encryption: { mode: at % 2 ? 'sse-s3' : 'sse-c' },
    }));
    expect(Object.keys(template(stackOf(policyOf(rules))).Resources ?? {})).toContain('TargetBucketPolicy');
  });
});
