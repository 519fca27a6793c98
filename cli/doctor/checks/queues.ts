/** Queues: wired to their bucket and their dead letters, and what waits in those. */
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { usesTransit } from '../../../src/policy/downloads.ts';
import { awsCommand } from '../aws-command.ts';
import type { Check, DoctorContext } from '../context.ts';
import { error, type Finding, type Subject, warning } from '../finding.ts';
import { look } from '../look.ts';
import { bucketArn, queueArn, transitQueueUrl } from '../names.ts';
import { comparedWith, covers, matches, statementsOf } from '../policy-document.ts';
import { waitingLetters } from './dead-letters.ts';

interface QueueUnderCheck {
  subject: Subject;
  url: string;
  /** Bucket that sends to it (`null`: functions do), and the queue that takes what fails; a dead-letter queue has neither. */
  source: { bucket: string | null; deadLetterUrl: string } | null;
}

type Attributes = Readonly<Record<string, string | undefined>>;

export const queues: Check = {
  area: 'queues',
  async run(context) {
    return (await Promise.all(queuesOf(context).map((queue) => checkQueue(context, queue)))).flat();
  },
};

function queuesOf({ stack, policy }: DoctorContext): QueueUnderCheck[] {
  return [
    { subject: 'ingest-queue', url: stack.ingestQueueUrl, source: { bucket: stack.ingestBucket, deadLetterUrl: stack.deadLetterQueueUrl } },
    { subject: 'ingest-dead-letters', url: stack.deadLetterQueueUrl, source: null },
    {
      subject: 'target-events-queue',
      url: stack.targetEventsQueueUrl,
      source: { bucket: stack.targetBucket, deadLetterUrl: stack.targetEventsDeadLetterQueueUrl },
    },
    { subject: 'target-events-dead-letters', url: stack.targetEventsDeadLetterQueueUrl, source: null },
    ...(usesTransit(policy) ? transitQueues(stack) : []),
  ];
}

function transitQueues(stack: DoctorContext['stack']): QueueUnderCheck[] {
  const deadLetterUrl = transitQueueUrl(stack, 'transit-dead-letters');
  return [
    { subject: 'transit-queue', url: transitQueueUrl(stack, 'transit'), source: { bucket: null, deadLetterUrl } },
    { subject: 'transit-dead-letters', url: deadLetterUrl, source: null },
  ];
}

async function checkQueue(context: DoctorContext, queue: QueueUnderCheck): Promise<Finding[]> {
  const { subject, url, source } = queue;
  const missing = () => [
    error(`${subject}.missing`, { resource: url, what: 'there is no such queue', nextStep: 'Deploy the stack again: it makes the queue.' }),
  ];
  const looks = [
    look(
      { subject, resource: url, action: 'sqs:GetQueueAttributes' },
      () => context.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })),
      ({ Attributes = {} }) => [
        ...unencrypted(queue, Attributes),
        ...(source === null ? [] : [...redrive(context, queue, Attributes), ...senders(context, queue, Attributes)]),
      ],
      { QueueDoesNotExist: missing, 'AWS.SimpleQueueService.NonExistentQueue': missing },
    ),
    ...(source === null ? [waitingLetters(context, { subject, url })] : []),
  ];
  return (await Promise.all(looks)).flat();
}

function unencrypted({ subject, url }: QueueUnderCheck, { SqsManagedSseEnabled, KmsMasterKeyId }: Attributes): Finding[] {
  if (SqsManagedSseEnabled === 'true' || KmsMasterKeyId) return [];
  return [
    warning(`${subject}.not-encrypted`, {
      resource: url,
      what: 'the queue is not encrypted: the names of objects lie there in the clear',
      nextStep: "Turn on SQS's own encryption.",
      command: awsCommand('sqs', 'set-queue-attributes', { 'queue-url': url, attributes: { SqsManagedSseEnabled: 'true' } }),
    }),
  ];
}

function redrive({ stack }: DoctorContext, { subject, url, source }: QueueUnderCheck, { RedrivePolicy = '' }: Attributes): Finding[] {
  if (source === null) return [];
  const expected = queueArn(stack, source.deadLetterUrl);
  const found = /"deadLetterTargetArn"\s*:\s*"([^"]*)"/.exec(RedrivePolicy)?.[1] ?? null;
  if (found === expected) return [];
  return [
    error(`${subject}.no-dead-letters`, {
      resource: url,
      what: found === null ? 'what cannot be worked off is lost: no dead-letter queue' : `what cannot be worked off goes to ${found}`,
      nextStep: 'Send it to the dead-letter queue of the stack.',
      command: awsCommand('sqs', 'set-queue-attributes', {
        'queue-url': url,
        attributes: {
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn: expected, maxReceiveCount: subject === 'target-events-queue' ? 10 : 5 }),
        },
      }),
      evidence: { found, expected },
    }),
  ];
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html */
function senders({ stack }: DoctorContext, { subject, url, source }: QueueUnderCheck, { Policy }: Attributes): Finding[] {
  if (source === null || source.bucket === null) return [];
  const arn = bucketArn(stack, source.bucket);
  const sends = statementsOf(Policy).filter(
    (statement) =>
      statement.effect === 'Allow' &&
      covers(statement, 'sqs:SendMessage') &&
      (statement.services.includes('s3.amazonaws.com') || statement.principals.includes('*')),
  );
  const sources = sends.map((statement) =>
    comparedWith(statement, ['ArnEquals', 'ArnLike', 'StringEquals', 'StringLike'], 'aws:SourceArn'),
  );
  if (!sources.some((arns) => arns.length === 0 || arns.some((pattern) => matches(pattern, arn))))
    return [
      error(`${subject}.bucket-not-allowed`, {
        resource: url,
        what: `the queue policy does not let ${source.bucket} send: its events are lost`,
        nextStep: `Allow sqs:SendMessage to s3.amazonaws.com for aws:SourceArn ${arn} in the queue policy.`,
        evidence: { sources },
      }),
    ];
  if (sources.every((arns) => arns.length > 0 && arns.every((pattern) => pattern === arn))) return [];
  return [
    warning(`${subject}.open-to-others`, {
      resource: url,
      what: 'the queue policy lets more than its own bucket send',
      nextStep: `Narrow aws:SourceArn in the queue policy to ${arn}.`,
      evidence: { sources },
    }),
  ];
}
