/** What somebody must look at. Every alarm goes to the topic, and says when it is over. */
import { type Part, type Resource, ref, sub, type Text } from './cloudformation.ts';
import { type FunctionName, functionName, functionsOf, nameOf, stackName } from './names.ts';
import { NOTICES, type QueueDefinition, queueDefinitions } from './queues.ts';
import type { Stack } from './stack.ts';
import { TIMEOUTS } from './timeouts.ts';

/**
 * `authorize` is left out: it answers an invalid token with an error, as the gateway wants it, so that anybody could raise its alarm.
 * What is wrong with itself reaches callers as 5XX.
 */
const watched = (stack: Stack): FunctionName[] => functionsOf(stack).filter((name) => name !== 'authorize');
const throttled = (stack: Stack): FunctionName[] => [...watched(stack), 'authorize'];

/**
 * Seconds of an invocation above which it came near its end. `encrypt` and `transit` end by themselves: a minute before their time they begin no
 * part of a large object, 20 seconds before they give up what is under way (handlers/encrypt.ts), so that only what uses up half of these is told.
 */
const NEAR_TIMEOUT: Partial<Record<FunctionName, number>> = {
  encrypt: TIMEOUTS.encrypt - 10,
  audit: 0.8 * TIMEOUTS.audit,
  download: 0.8 * TIMEOUTS.download,
  transit: TIMEOUTS.transit - 10,
};
/** Beyond the time that a killed invocation hides its messages, so that its first repetition is no alarm yet. */
const LATE_SECONDS = 900;
const FAILED_REQUESTS = 5;

/** The metrics' namespace and dimension, as src/observability.ts writes them. */
export const NAMESPACE = 'Sealdrop';
const FIVE_MINUTES = 300;
const ONE_MINUTE = 60;

interface Alarm {
  /** Behind `sealdrop-STAGE-`. */
  name: string;
  description: string;
  namespace: string;
  metric: string;
  dimensions: Record<string, Text>;
  statistic: 'Sum' | 'Maximum';
  periodSeconds: number;
  /** Above it, it is an alarm. */
  above: number;
}

export function alarms(stack: Stack): Part {
  const all = [
    ...Object.entries(queueDefinitions(stack)).flatMap(([what, definition]) => queueAlarms(stack, what, definition)),
    deadLettersAlarm(
      stack,
      NOTICES,
      "What somebody did to a key or a guard could not be told: each message of the queue holds the event, its attributes why. Compare the topic's policy and the operations key with the stack's template.",
    ),
    ...watched(stack).map((name) => functionAlarm(stack, name, 'Errors', 'failed')),
    ...throttled(stack).map((name) => functionAlarm(stack, name, 'Throttles', 'was throttled')),
    ...functionsOf(stack).flatMap((name) => durationAlarm(stack, name, NEAR_TIMEOUT[name])),
    ownAlarm(
      stack,
      'denied-kms-calls',
      'DeniedKmsCalls',
      'A KMS key was refused, is disabled, about to be deleted or not there: see the logs for its ARN.',
    ),
    ownAlarm(
      stack,
      'foreign-writes',
      'ForeignWrites',
      'Somebody else than the encrypt function wrote into the target bucket: see ObjectWritten in the audit trail.',
    ),
    ownAlarm(
      stack,
      'foreign-deletes',
      'ForeignDeletes',
      'Somebody deleted in the target bucket, and it was no lifecycle rule: see ObjectDeleted in the audit trail.',
    ),
    ownAlarm(
      stack,
      'drift-found',
      'DriftFound',
      'An object in the target bucket is not encrypted as policy.yml says: see DriftFound in the audit trail.',
    ),
    apiAlarm(stack),
  ];
  return { Resources: Object.fromEntries(all.map((alarm) => [`${idOf(alarm.name)}Alarm`, resource(stack, alarm)])) };
}

function queueAlarms(stack: Stack, what: string, { visibilitySeconds }: QueueDefinition): Alarm[] {
  const late = visibilitySeconds + LATE_SECONDS;
  return [
    deadLettersAlarm(
      stack,
      `${what}-dead-letters`,
      `Something was given up: each message of the queue says why and what to do next. Then move it back to the ${what} queue.`,
    ),
    {
      name: `${what}-queue-is-late`,
      // A message that was received three times leaves this metric, so that one that fails again and again raises no alarm here:
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
      description: `A message waits for more than ${late / 60} minutes in the ${what} queue, and was received twice at most: its function does not run, does not keep up, or was killed over it. What fails again and again ends in the dead-letter queue, which has an alarm of its own.`,
      ...ofQueue(stack, what),
      metric: 'ApproximateAgeOfOldestMessage',
      above: late,
    },
  ];
}

function deadLettersAlarm(stack: Stack, queue: string, description: string): Alarm {
  return { name: queue, description, ...ofQueue(stack, queue), metric: 'ApproximateNumberOfMessagesVisible', above: 0 };
}

function ofQueue(stack: Stack, queue: string) {
  return {
    namespace: 'AWS/SQS',
    dimensions: { QueueName: sub(nameOf(stack, queue)) },
    statistic: 'Maximum' as const,
    periodSeconds: ONE_MINUTE,
  };
}

function functionAlarm(stack: Stack, name: FunctionName, metric: 'Errors' | 'Throttles', what: string): Alarm {
  return {
    name: `${name}-${metric.toLowerCase()}`,
    description: `The function ${name} ${what}: see its logs.`,
    namespace: 'AWS/Lambda',
    metric,
    dimensions: { FunctionName: functionName(stack, name) },
    statistic: 'Sum',
    periodSeconds: FIVE_MINUTES,
    above: 0,
  };
}

/** @param nearTimeout seconds; none where a function does not work for long */
function durationAlarm(stack: Stack, name: FunctionName, nearTimeout: number | undefined): Alarm[] {
  if (nearTimeout === undefined) return [];
  return [
    {
      ...functionAlarm(stack, name, 'Errors', ''),
      name: `${name}-near-time-out`,
      description: `An invocation of ${name} took more than ${nearTimeout} of its ${TIMEOUTS[name]} seconds.`,
      metric: 'Duration',
      statistic: 'Maximum',
      above: nearTimeout * 1000,
    },
  ];
}

function ownAlarm(stack: Stack, name: string, metric: string, description: string): Alarm {
  return {
    name,
    description,
    namespace: NAMESPACE,
    metric,
    dimensions: { stack: stackName(stack) },
    statistic: 'Sum',
    periodSeconds: ONE_MINUTE,
    above: 0,
  };
}

function apiAlarm(stack: Stack): Alarm {
  return {
    name: 'api-errors',
    description: `The API answered more than ${FAILED_REQUESTS} requests with 5XX in five minutes.`,
    namespace: 'AWS/ApiGateway',
    metric: '5XXError',
    dimensions: { ApiName: stackName(stack), Stage: stack.stage },
    statistic: 'Sum',
    periodSeconds: FIVE_MINUTES,
    above: FAILED_REQUESTS,
  };
}

function resource(stack: Stack, alarm: Alarm): Resource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${stackName(stack)}-${alarm.name}`,
      AlarmDescription: alarm.description,
      Namespace: alarm.namespace,
      MetricName: alarm.metric,
      Dimensions: Object.entries(alarm.dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: alarm.statistic,
      Period: alarm.periodSeconds,
      EvaluationPeriods: 1,
      Threshold: alarm.above,
      ComparisonOperator: 'GreaterThanThreshold',
      // All of these are only written when something happens: silence is well.
      TreatMissingData: 'notBreaching',
      AlarmActions: [ref('AlarmTopic')],
      OKActions: [ref('AlarmTopic')],
    },
  };
}

/** `drift-found` → `DriftFound` */
function idOf(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
