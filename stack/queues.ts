/** What S3 tells the functions, and what they could not do. */
import { type Part, policyDocument, type Resource, ref, type Statement, sub, tlsOnly } from './cloudformation.ts';
import { type BucketName, bucketArn, nameOf, queueArn, targetOwner } from './names.ts';
import type { Stack } from './stack.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Dead letters live longer than what they came from: a redriven message keeps its age. */
const RETENTION_SECONDS = 4 * 24 * 3600;
const DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 3600;

/** As Lambda asks: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_TIMEOUTS = 6;

export type QueueName = 'ingest' | 'target-events';

/** What rules of EventBridge could not tell. */
export const NOTICES = 'notices-dead-letters';

/** All queues, as they are named. */
export const QUEUE_NAMES = ['ingest', 'ingest-dead-letters', 'target-events', 'target-events-dead-letters', NOTICES];

export interface QueueDefinition {
  queueId: string;
  deadLettersId: string;
  bucket: BucketName;
  /** Who owns that bucket, as a text for Fn::Sub. */
  owner: string;
  /** How long a message stays hidden that a killed invocation held. */
  visibilitySeconds: number;
  /** Deliveries before SQS itself gives a message up; it does so for a function that dies. */
  maxReceiveCount: number;
}

export function queueDefinitions(stack: Stack): Record<QueueName, QueueDefinition> {
  return {
    ingest: {
      queueId: 'IngestQueue',
      deadLettersId: 'DeadLetterQueue',
      bucket: 'ingest',
      owner: `\${AWS::AccountId}`,
      visibilitySeconds: VISIBILITY_TIMEOUTS * TIMEOUTS.encrypt,
      maxReceiveCount: 5,
    },
    'target-events': {
      queueId: 'TargetEventsQueue',
      deadLettersId: 'TargetEventsDeadLetterQueue',
      bucket: 'target',
      owner: targetOwner(stack),
      visibilitySeconds: VISIBILITY_TIMEOUTS * TIMEOUTS.audit,
      // An event may come minutes before the record that tells whose write it was, and waits for it.
      maxReceiveCount: 10,
    },
  };
}

export function queues(stack: Stack): Part {
  return {
    Resources: {
      ...resourcesOf(stack, 'ingest', queueDefinitions(stack).ingest),
      ...resourcesOf(stack, 'target-events', queueDefinitions(stack)['target-events']),
    },
    Outputs: {
      IngestQueueUrl: { Value: ref('IngestQueue'), Description: 'The queue that feeds the encrypt function.' },
      DeadLetterQueueUrl: { Value: ref('DeadLetterQueue'), Description: 'What could not be encrypted, with its cause.' },
      TargetEventsQueueUrl: { Value: ref('TargetEventsQueue'), Description: 'The queue that feeds the audit function.' },
      TargetEventsDeadLetterQueueUrl: {
        Value: ref('TargetEventsDeadLetterQueue'),
        Description: 'Events of the target bucket that could not be audited, with their cause.',
      },
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

function resourcesOf(stack: Stack, what: QueueName, definition: QueueDefinition): Record<string, Resource> {
  const { queueId, deadLettersId, bucket, owner, visibilitySeconds, maxReceiveCount } = definition;
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
    [`${queueId}Policy`]: queuePolicy(stack, what, queueId, [
      {
        Sid: 'BucketSends',
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: ['sqs:SendMessage'],
        Resource: sub(queueArn(stack, what)),
        Condition: {
          ArnEquals: { 'aws:SourceArn': sub(bucketArn(stack, bucket)) },
          StringEquals: { 'aws:SourceAccount': sub(owner) },
        },
      },
    ]),
    [`${deadLettersId}Policy`]: queuePolicy(stack, `${what}-dead-letters`, deadLettersId, []),
  };
}
