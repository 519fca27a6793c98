/** What a reviewer asks of functions, of what feeds them, and of who hears when they fail. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { deadLetterQueues } from './template-dead-letters.ts';
import { statementsOf } from './template-policies.ts';
import type { Rule } from './template-rules.ts';
import { type Found, list, ofType, record, texts } from './template-values.ts';

const FUNCTION = 'AWS::Lambda::Function';
const SOURCE = 'AWS::Lambda::EventSourceMapping';
/** Lambda's advice: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_TIMES_TIMEOUT = 6;
/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const PATTERN_CHARACTERS = 2048;
/** Who may ask without a token: two say that the stack is up and what its API takes, the third asks for a link instead. */
const OPEN_PATHS = ['health', 'openapi.json', '{link}'];

const SECRET_NAME = /secret|password|passwd|token|credential|private|api_?key/i;
/** An access key id, a JSON web token, key material as hex or base64, and what CloudFormation would resolve into plain text. */
const SECRET_VALUE =
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]+\.|^[0-9a-f]{32,}$|^[A-Za-z0-9+/]{40,}={0,2}$|\{\{resolve:(secretsmanager|ssm-secure):/;

export const FUNCTION_RULES: Record<string, Rule> = {
  'functions keep their logs for a while': (template) => {
    const kept = ofType(template, 'AWS::Logs::LogGroup')
      .filter(({ properties }) => properties.RetentionInDays !== undefined)
      .map(({ properties }) => properties.LogGroupName);
    return ofType(template, FUNCTION)
      .filter(({ properties }) => !kept.includes(`/aws/lambda/${properties.FunctionName}`))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} has no log group with a retention` }));
  },

  'log groups end some day': (template) =>
    ofType(template, 'AWS::Logs::LogGroup')
      .filter(({ properties }) => properties.RetentionInDays === undefined)
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} keeps everything for ever` })),

  'environments hold no secret': (template) =>
    ofType(template, FUNCTION).flatMap(({ logicalId, properties }) => {
      const variables = Object.entries(record(record(properties.Environment).Variables));
      const told = variables.filter(([name, value]) => looksSecret(name, String(value)));
      return told.map(([name]) => ({ subject: `${logicalId}.${name}`, text: `${logicalId}: ${name} may be a secret` }));
    }),

  'what a queue feeds repeats only what failed': (template) =>
    ofType(template, SOURCE)
      .filter(({ properties }) => !texts(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} repeats whole batches` })),

  // Lambda stops loops of other functions; of these they are meant: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
  'what sends to its own queue may loop, and nothing else': (template) =>
    ofType(template, FUNCTION).flatMap((found) => {
      const sends = feedsItself(template, found);
      if (sends === (found.properties.RecursiveLoop === 'Allow')) return [];
      const text = sends ? 'sends to its own queue, and would be stopped as a loop' : 'may loop, and sends to no queue of its own';
      return [{ subject: found.logicalId, text: `${found.logicalId} ${text}` }];
    }),

  'what a queue feeds has dead letters': (template) =>
    ofType(template, SOURCE)
      .filter(
        ({ properties }) =>
          record(queueOf(template, String(properties.EventSourceArn))?.properties.RedrivePolicy).maxReceiveCount === undefined,
      )
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} is fed by a queue without dead letters` })),

  'a message is out of sight for longer than its work takes': (template) =>
    ofType(template, SOURCE).flatMap(({ logicalId, properties }) => {
      const visibility = Number(queueOf(template, String(properties.EventSourceArn))?.properties.VisibilityTimeout ?? 30);
      const fed = ofType(template, FUNCTION).find((each) => properties.FunctionName === `<${each.logicalId}.Arn>`);
      const timeout = Number(fed?.properties.Timeout ?? 3);
      const text = `${logicalId}: ${visibility} s of visibility for a time-out of ${timeout} s`;
      return visibility >= VISIBILITY_TIMES_TIMEOUT * timeout ? [] : [{ subject: logicalId, text }];
    }),

  // Lambda's own queue for asynchronous calls drops events under load, and a topic has no dead letters here.
  'buckets tell queues alone': (template) =>
    ofType(template, 'AWS::S3::Bucket').flatMap(({ logicalId, properties }) => {
      const others = Object.keys(record(properties.NotificationConfiguration)).filter((name) => name !== 'QueueConfigurations');
      return others.map((name) => ({ subject: logicalId, text: `${logicalId} has ${name}` }));
    }),

  'rules of EventBridge have dead letters': (template) =>
    ofType(template, 'AWS::Events::Rule').flatMap(({ logicalId, properties }) => {
      const lossy = list(properties.Targets)
        .map(record)
        .filter(({ DeadLetterConfig }) => record(DeadLetterConfig).Arn === undefined);
      return lossy.map(({ Arn }) => ({ subject: logicalId, text: `${logicalId} may lose what it tells ${Arn}` }));
    }),

  'patterns of EventBridge are within its limit': (template) =>
    ofType(template, 'AWS::Events::Rule')
      .filter(({ properties }) => JSON.stringify(properties.EventPattern).length > PATTERN_CHARACTERS)
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} has more than ${PATTERN_CHARACTERS} characters` })),

  'every dead letter raises an alarm': (template) => {
    const alarms = ofType(template, 'AWS::CloudWatch::Alarm').map(({ properties }) => properties);
    const watched = alarms
      .filter(({ MetricName, Threshold }) => MetricName === 'ApproximateNumberOfMessagesVisible' && Number(Threshold) <= 1)
      .flatMap(({ Dimensions }) => list(Dimensions).map((dimension) => String(record(dimension).Value)));
    return deadLetterQueues(template)
      .filter(
        ({ logicalId, properties }) => ![`<${logicalId}.QueueName>`, String(properties.QueueName)].some((name) => watched.includes(name)),
      )
      .map(({ logicalId }) => ({ subject: logicalId, text: `nobody hears of ${logicalId}` }));
  },

  'alarms are heard, and say what silence means': (template) =>
    ofType(template, 'AWS::CloudWatch::Alarm')
      .filter(({ properties }) => texts(properties.AlarmActions).length === 0 || properties.TreatMissingData === undefined)
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} lacks AlarmActions or TreatMissingData` })),

  'the API asks who calls': (template) => {
    const paths = new Map(
      ofType(template, 'AWS::ApiGateway::Resource').map(({ logicalId, properties }) => [`<${logicalId}>`, String(properties.PathPart)]),
    );
    return ofType(template, 'AWS::ApiGateway::Method')
      .filter(({ properties }) => (properties.AuthorizationType ?? 'NONE') === 'NONE')
      .filter(({ properties }) => !OPEN_PATHS.includes(paths.get(String(properties.ResourceId)) ?? ''))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} is open to anyone` }));
  },
};

function queueOf(template: Template, arn: string): Found | null {
  const all = ofType(template, 'AWS::SQS::Queue');
  return all.find(({ logicalId, properties }) => arn === `<${logicalId}.Arn>` || arn.endsWith(`:${properties.QueueName}`)) ?? null;
}

function feedsItself(template: Template, { logicalId, properties }: Found): boolean {
  const queues = ofType(template, SOURCE)
    .filter((source) => source.properties.FunctionName === `<${logicalId}.Arn>`)
    .map((source) => queueOf(template, String(source.properties.EventSourceArn))?.logicalId);
  const sends = statementsOf(template).filter(
    (statement) =>
      statement.kind === 'identity' &&
      properties.Role === `<${statement.logicalId}.Arn>` &&
      statement.effect === 'Allow' &&
      statement.actions.includes('sqs:SendMessage'),
  );
  return sends.flatMap(({ resources }) => resources).some((arn) => queues.includes(queueOf(template, arn)?.logicalId ?? ''));
}

/** A name like `CUSTOMER_KEY_SECRET` is fine for what says where the secret is. */
function looksSecret(name: string, value: string): boolean {
  const address = /^<\w+(\.\w+)?>$|^arn:|^https?:\/\/[^@]*$/.test(value);
  return SECRET_VALUE.test(value) || (SECRET_NAME.test(name) && !address);
}
