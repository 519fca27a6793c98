/** One page to look at: what flows, what fails, what waits. */

import { NAMESPACE } from './alarms.ts';
import { type Part, sub } from './cloudformation.ts';
import { functionName, functionsOf, nameOf, stackName } from './names.ts';
import { NOTICES, queueDefinitions } from './queues.ts';
import type { Stack } from './stack.ts';

const WIDTH = 8;
const HEIGHT = 6;
const COLUMNS = 3;
const FIVE_MINUTES = 300;

type Metric = (string | Record<string, unknown>)[];

interface Widget {
  title: string;
  stat: string;
  metrics: Metric[];
}

export function dashboard(stack: Stack): Part {
  const widgets = widgetsOf(stack).map(({ title, stat, metrics }, at) => ({
    type: 'metric',
    x: (at % COLUMNS) * WIDTH,
    y: Math.floor(at / COLUMNS) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: { title, stat, metrics, view: 'timeSeries', period: FIVE_MINUTES, region: `\${AWS::Region}` },
  }));
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        // An account's dashboards share their names among all Regions.
        Properties: { DashboardName: sub(`${stackName(stack)}-\${AWS::Region}`), DashboardBody: sub(JSON.stringify({ widgets })) },
      },
    },
  };
}

function widgetsOf(stack: Stack): Widget[] {
  const own = (...names: string[]): Metric[] => names.map((name) => [NAMESPACE, name, 'stack', stackName(stack)]);
  const by = (metric: string, dimension: string): Metric[] => [
    [
      {
        expression: `SEARCH('{${NAMESPACE},stack,${dimension}} MetricName="${metric}" stack="${stackName(stack)}"', 'Sum', ${FIVE_MINUTES})`,
      },
    ],
  ];
  const queues = (metric: string, ...names: string[]): Metric[] =>
    names.map((name) => ['AWS/SQS', metric, 'QueueName', nameOf(stack, name)]);
  const functions = (metric: string): Metric[] =>
    functionsOf(stack).map((name) => ['AWS/Lambda', metric, 'FunctionName', functionName(stack, name)]);
  const fed = Object.keys(queueDefinitions(stack));
  const deadLetters = fed.map((name) => `${name}-dead-letters`);
  return [
    { title: 'Objects', stat: 'Sum', metrics: own('ObjectsEncrypted', 'ObjectsDownloaded') },
    { title: 'Bytes', stat: 'Sum', metrics: own('BytesEncrypted', 'BytesDownloaded') },
    { title: 'Encrypted by mode', stat: 'Sum', metrics: by('ObjectsEncrypted', 'mode') },
    { title: 'From stored to encrypted, ms (p99)', stat: 'p99', metrics: own('EncryptLatency') },
    { title: 'To the first byte, ms (p99)', stat: 'p99', metrics: own('DownloadLatency') },
    { title: 'Failures by code', stat: 'Sum', metrics: by('Failures', 'code') },
    {
      title: 'Others in the target bucket, drift',
      stat: 'Sum',
      metrics: own('ForeignWrites', 'ForeignDeletes', 'DriftFound', 'DeniedKmsCalls'),
    },
    {
      title: 'Dead letters',
      stat: 'Maximum',
      metrics: queues('ApproximateNumberOfMessagesVisible', ...deadLetters, NOTICES),
    },
    { title: 'Oldest message, s', stat: 'Maximum', metrics: queues('ApproximateAgeOfOldestMessage', ...fed) },
    { title: 'Errors of functions', stat: 'Sum', metrics: functions('Errors') },
    { title: 'Throttles of functions', stat: 'Sum', metrics: functions('Throttles') },
    {
      title: 'API',
      stat: 'Sum',
      metrics: ['Count', '4XXError', '5XXError'].map((name) => ['AWS/ApiGateway', name, 'ApiName', stackName(stack), 'Stage', stack.stage]),
    },
  ];
}
