/** What S3 and the functions tell the functions, and what those could not do. */
import { usesTransit } from '../src/policy/downloads.ts';
import { type Part, policyDocument, type Resource, ref, type Statement, sub, tlsOnly } from './cloudformation.ts';
import { type BucketName, bucketArn, nameOf, queueArn, targetOwner } from './names.ts';
import type { Stack } from './stack.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Dead letters live longer than what they came from: a redriven message keeps its age. */
const RETENTION_SECONDS = 4 * 24 * 3600;
const DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 3600;

/** As Lambda asks: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_TIMEOUTS = 6;

/** What rules of EventBridge could not tell. */
export const NOTICES = 'notices-dead-letters';

/** All queues, as they are named. */
export const queueNames = (stack: Stack): string[] => [
  ...Object.keys(queueDefinitions(stack)).flatMap((name) => [name, `${name}-dead-letters`]),
  NOTICES,
];

export interface QueueDefinition {
  queueId: string;
  deadLettersId: string;
  /** The bucket that sends to it, and who owns that, as a text for Fn::Sub; `null`: functions alone send to it. */
  sender: { bucket: BucketName; owner: string } | null;
  /** How long a message stays hidden that a killed invocation held. */
  visibilitySeconds: number;
  /** Deliveries before SQS itself gives a message up; it does so for a function that dies. */
  maxReceiveCount: number;
}

/** By name; `transit` is there where policy.yml allows copies for downloads. */
export interface QueueDefinitions {
  ingest: QueueDefinition;
  'target-events': QueueDefinition;
  transit?: QueueDefinition;
}

export function queueDefinitions(stack: Stack): QueueDefinitions {
  return {
    ingest: {
      queueId: 'IngestQueue',
      deadLettersId: 'DeadLetterQueue',
      sender: { bucket: 'ingest', owner: `\${AWS::AccountId}` },
      visibilitySeconds: VISIBILITY_TIMEOUTS * TIMEOUTS.encrypt,
      maxReceiveCount: 5,
    },
    'target-events': {
      queueId: 'TargetEventsQueue',
      deadLettersId: 'TargetEventsDeadLetterQueue',
      sender: { bucket: 'target', owner: targetOwner(stack) },
      visibilitySeconds: VISIBILITY_TIMEOUTS * TIMEOUTS.audit,
      // An event may come minutes before the record that tells whose write it was, and waits for it.
      maxReceiveCount: 10,
    },
    ...(usesTransit(stack.policy)
      ? {
          transit: {
            queueId: 'TransitQueue',
            deadLettersId: 'TransitDeadLetterQueue',
            sender: null,
            visibilitySeconds: VISIBILITY_TIMEOUTS * TIMEOUTS.transit,
            maxReceiveCount: 5,
          },
        }
      : {}),
  };
}

export function queues(stack: Stack): Part {
  const definitions = queueDefinitions(stack);
  return {
    Resources: Object.assign({}, ...Object.entries(definitions).map(([what, definition]) => resourcesOf(stack, what, definition))),
    Outputs: {
      IngestQueueUrl: { Value: ref('IngestQueue'), Description: 'The queue that feeds the encrypt function.' },
      DeadLetterQueueUrl: { Value: ref('DeadLetterQueue'), Description: 'What could not be encrypted, with its cause.' },
      TargetEventsQueueUrl: { Value: ref('TargetEventsQueue'), Description: 'The queue that feeds the audit function.' },
      TargetEventsDeadLetterQueueUrl: {
        Value: ref('TargetEventsDeadLetterQueue'),
        Description: 'Events of the target bucket that could not be audited, with their cause.',
      },
      ...(definitions.transit === undefined
        ? {}
        : {
            TransitQueueUrl: { Value: ref('TransitQueue'), Description: 'The queue that feeds the transit function.' },
            TransitDeadLetterQueueUrl: {
              Value: ref('TransitDeadLetterQueue'),
              Description: 'Copies for downloads that could not be made or deleted, with their cause.',
            },
          }),
    },
  };
}

export function deadLetterQueue(stack: Stack, what: string): Resource {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: sub(nameOf(stack, what)),
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: DEAD_LETTER_RETENTION_SECONDS,
    },
  };
}

/** @param allowed who may do what; nobody may do anything without TLS */
export function queuePolicy(stack: Stack, what: string, queueId: string, allowed: Statement[]): Resource {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [ref(queueId)],
      PolicyDocument: policyDocument([...allowed, tlsOnly(['sqs:*'], sub(queueArn(stack, what)))]),
    },
  };
}

function resourcesOf(stack: Stack, what: string, definition: QueueDefinition): Record<string, Resource> {
  const { queueId, deadLettersId, sender, visibilitySeconds, maxReceiveCount } = definition;
  const deadLetters = sub(queueArn(stack, `${what}-dead-letters`));
  return {
    [queueId]: {
      Type: 'AWS::SQS::Queue',
      DependsOn: deadLettersId,
      Properties: {
        QueueName: sub(nameOf(stack, what)),
        SqsManagedSseEnabled: true,
        VisibilityTimeout: visibilitySeconds,
        MessageRetentionPeriod: RETENTION_SECONDS,
        RedrivePolicy: { deadLetterTargetArn: deadLetters, maxReceiveCount },
      },
    },
    [deadLettersId]: deadLetterQueue(stack, `${what}-dead-letters`),
    [`${queueId}Policy`]: queuePolicy(stack, what, queueId, sender === null ? [] : [bucketSends(stack, what, sender)]),
    [`${deadLettersId}Policy`]: queuePolicy(stack, `${what}-dead-letters`, deadLettersId, []),
  };
}

function bucketSends(stack: Stack, what: string, { bucket, owner }: { bucket: BucketName; owner: string }): Statement {
  return {
    Sid: 'BucketSends',
    Effect: 'Allow',
    Principal: { Service: 's3.amazonaws.com' },
    Action: ['sqs:SendMessage'],
    Resource: sub(queueArn(stack, what)),
    Condition: {
      ArnEquals: { 'aws:SourceArn': sub(bucketArn(stack, bucket)) },
      StringEquals: { 'aws:SourceAccount': sub(owner) },
    },
  };
}
