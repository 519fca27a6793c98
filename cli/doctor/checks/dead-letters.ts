/** What waits in a dead-letter queue, and why. */
import { GetQueueAttributesCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { isErrorCode, nextStepOf } from '../../error-code.ts';
import type { DoctorContext } from '../context.ts';
import { type Finding, type Subject, warning } from '../finding.ts';
import { look } from '../look.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const MAX_RECEIVED = 10;
/** Long enough that one look does not see one message twice. */
const HIDDEN_SECONDS = 1;

/** Of `sealdrop failures`; its default is the ingest queue's. */
const QUEUE_OPTIONS: Partial<Record<Subject, string>> = {
  'target-events-dead-letters': ' --queue target-events',
  'transit-dead-letters': ' --queue transit',
};

interface DeadLetters {
  subject: Subject;
  url: string;
}

export async function waitingLetters(context: DoctorContext, letters: DeadLetters): Promise<Finding[]> {
  const { subject, url } = letters;
  const { sqs } = context.clients;
  let waiting = 0;
  const unseen = await look(
    { subject, resource: url, action: 'sqs:GetQueueAttributes' },
    () => sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] })),
    ({ Attributes }) => {
      waiting = Number(Attributes?.ApproximateNumberOfMessages ?? 0);
      return [];
    },
    // Said by the look at the queue itself.
    {
      QueueDoesNotExist: () => [],
      'AWS.SimpleQueueService.NonExistentQueue': () => [],
      AccessDenied: () => [],
      AccessDeniedException: () => [],
    },
  );
  if (waiting === 0) return unseen;
  const receive = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: MAX_RECEIVED,
    VisibilityTimeout: HIDDEN_SECONDS,
    MessageAttributeNames: ['code'],
    MessageSystemAttributeNames: ['SentTimestamp'],
  });
  // Whoever may count them and not read them is told how many.
  const messages = await sqs.send(receive).then(
    ({ Messages = [] }) => Messages,
    () => [],
  );
  return [waitingFinding(context, letters, waiting, messages)];
}

function waitingFinding({ stack }: DoctorContext, { subject, url }: DeadLetters, count: number, messages: Message[]): Finding {
  const codes = [...new Set(messages.flatMap(({ MessageAttributes }) => MessageAttributes?.code?.StringValue ?? []))].sort();
  const sent = messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp)).filter((time) => time > 0);
  const oldest = sent.length > 0 ? new Date(Math.min(...sent)).toISOString() : null;
  const causes = codes.length > 0 ? `: ${codes.join(', ')}` : '';
  const since = oldest === null ? '' : `, the oldest seen since ${oldest}`;
  const steps = codes.filter(isErrorCode).map((code) => `${code}: ${nextStepOf(code)}`);
  const causesGone = steps.length > 0 ? steps.join(' ') : 'Look at their causes, and remove them.';
  return warning(`${subject}.waiting`, {
    resource: url,
    what: `${count} ${count === 1 ? 'message waits' : 'messages wait'}${causes}${since}`,
    nextStep: `${causesGone} ${sentBack(subject)}`,
    command: `npx sealdrop failures --stage ${stack.stage} --region ${stack.region}${QUEUE_OPTIONS[subject] ?? ''}`,
    evidence: { count, codes, oldest },
  });
}

/** How messages come back to their queue. */
function sentBack(subject: Subject): string {
  return subject === 'ingest-dead-letters'
    ? 'Then "npx sealdrop redrive" sends them back.'
    : 'Then move them back to their queue with "aws sqs start-message-move-task".';
}
