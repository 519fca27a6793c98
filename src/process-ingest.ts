/** What becomes of ingest messages: done, tried again later, or dead-lettered with a cause. */
import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DeadLetters } from './dead-letters.ts';
import { type EncryptDeps, type EncryptOutcome, encryptObjects } from './encrypt-objects.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import type { IngestMessage } from './events/index.ts';
import type { Log } from './observability.ts';

/** The first retry comes within this time, each further one within twice the one before. */
const FIRST_RETRY_SECONDS = 4;
const LONGEST_RETRY_SECONDS = 900;

export interface ProcessDeps extends EncryptDeps {
  deadLetters: DeadLetters;
  sqs: SQSClient;
  ingestQueueUrl: string;
  /** Deliveries before the queue itself gives up (its maxReceiveCount). */
  maxReceiveCount: number;
  log: Log;
}

export interface IngestResult {
  message: IngestMessage;
  /** `retry`: the message must be delivered again. */
  verdict: 'done' | 'retry' | 'dead-lettered';
  /** Why, unless it is done. */
  error: SealdropError | null;
}

/** Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict. */
export async function processIngest(messages: IngestMessage[], deps: ProcessDeps): Promise<IngestResult[]> {
  const requests = messages.flatMap((message) => {
    const lastTry = isLastTry(message, deps);
    return 'refs' in message.content ? message.content.refs.map((ref) => ({ ref, lastTry })) : [];
  });
  const outcomes = await encryptObjects(requests, deps);
  for (const outcome of outcomes) logOutcome(outcome, deps.log);

  let next = 0;
  return Promise.all(
    messages.map(async (message) => {
      const count = 'refs' in message.content ? message.content.refs.length : 0;
      const mine = outcomes.slice(next, next + count);
      next += count;
      return settle(message, 'error' in message.content ? [message.content.error] : mine.flatMap(errorOf), deps);
    }),
  );
}

/** A message is retried while one of its objects may heal; it is dead-lettered once none can, or at its last delivery. */
async function settle(message: IngestMessage, errors: SealdropError[], deps: ProcessDeps): Promise<IngestResult> {
  const error = together(errors);
  if (error === null) return { message, verdict: 'done', error: null };
  if (error.retryable && !isLastTry(message, deps)) {
    await backOff(message, deps);
    return { message, verdict: 'retry', error };
  }
  try {
    await deps.deadLetters.send(message.body, error);
    deps.log.error('dead-lettered', { messageId: message.receipt?.messageId, ...describe(error) });
    return { message, verdict: 'dead-lettered', error };
  } catch (failure) {
    // Tried again; at last the queue's own redrive catches it, without the cause.
    await backOff(message, deps);
    deps.log.error('could not dead-letter', { messageId: message.receipt?.messageId, ...describe(asSealdropError(failure)) });
    return { message, verdict: 'retry', error };
  }
}

/** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
async function backOff(message: IngestMessage, deps: ProcessDeps): Promise<void> {
  if (message.receipt === null) return;
  const { receiptHandle, receiveCount } = message.receipt;
  const ceiling = Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (receiveCount - 1));
  const VisibilityTimeout = Math.ceil(Math.random() * ceiling);
  const change = new ChangeMessageVisibilityCommand({ QueueUrl: deps.ingestQueueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout });
  await deps.sqs.send(change).catch((error: unknown) => {
    // The message then comes back when the queue's own visibility timeout ends.
    deps.log.warn('could not set the retry delay', describe(asSealdropError(error)));
  });
}

/** Without a queue there is no other: what invoked the function may drop the event after its own few retries. */
function isLastTry(message: IngestMessage, deps: ProcessDeps): boolean {
  return message.receipt === null || message.receipt.receiveCount >= deps.maxReceiveCount;
}

/** One error for a message with several objects: the code of one that may heal, else of the first, and every cause. */
function together(errors: SealdropError[]): SealdropError | null {
  const first = errors.find((error) => error.retryable) ?? errors[0];
  if (first === undefined || errors.length === 1) return first ?? null;
  const causes = errors.map(({ code, message, object }) => `${object?.key ?? 'an event'}: ${code}: ${message}`);
  return new SealdropError(first.code, causes.join('; '), { object: first.object, cause: first });
}

function errorOf(outcome: EncryptOutcome): SealdropError[] {
  return outcome.status === 'failed' ? [outcome.error] : [];
}

function logOutcome(outcome: EncryptOutcome, log: Log): void {
  const { bucket, key, versionId, sequencer, correlationId, size } = outcome.ref;
  const object = { bucket, key, versionId, sequencer, correlationId, size };
  if (outcome.status === 'encrypted') {
    log.info('encrypted', { ...object, encryption: outcome.encryption, durationMs: Math.round(outcome.durationMs) });
  } else {
    log.warn('not encrypted', { ...object, ...describe(outcome.error) });
  }
}

function describe({ code, message, nextStep, retryable }: SealdropError) {
  return { code, cause: message, nextStep, retryable };
}
