/** What becomes of messages: done, tried again later, or dead-lettered with a cause. */
import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';
import type { DeadLetters } from './dead-letters.ts';
import { asSealdropError, SealdropError } from './errors.ts';
import type { EventMessage } from './events/index.ts';
import { countFailure, type Metrics } from './metrics.ts';
import type { Log } from './observability.ts';

/** The first retry comes within this time, each further one within twice the one before. */
const FIRST_RETRY_SECONDS = 4;
const LONGEST_RETRY_SECONDS = 900;

const LONGEST_LOGGED_CAUSE = 1_000;

export interface SettleDeps {
  deadLetters: DeadLetters;
  sqs: SQSClient;
  /** The queue that the messages come from. */
  queueUrl: string;
  /** Deliveries before the queue itself gives up (its maxReceiveCount). */
  maxReceiveCount: number;
  metrics: Metrics;
  log: Log;
}

/** What logs name a message's items by. */
export interface Traced {
  bucket: string;
  key: string;
  correlationId: string;
}

/** A thing to do, and whether it is tried for the last time: what could heal is then final. */
export interface Attempt<Item> {
  item: Item;
  /** 1 at the first delivery. */
  delivery: number;
  lastTry: boolean;
}

export interface Failure {
  error: SealdropError;
  /** When to look again; without it the delay grows from delivery to delivery. */
  retryAfterSeconds?: number;
}

export interface SettledMessage<Item> {
  message: EventMessage<Item>;
  /** `retry`: the message must be delivered again. */
  verdict: 'done' | 'retry' | 'dead-lettered';
  /** Why, unless it is done. */
  error: SealdropError | null;
}

/**
 * Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict.
 * @param work does what all messages ask for, at once; counts and gives each attempt's failure in its place, `null`: done. Does not throw.
 */
export async function settleMessages<Item extends Traced>(
  messages: EventMessage<Item>[],
  deps: SettleDeps,
  work: (attempts: Attempt<Item>[]) => Promise<(Failure | null)[]>,
): Promise<SettledMessage<Item>[]> {
  const attempts = messages.flatMap((message) => itemsOf(message).map((item) => attempt(item, message, deps)));
  const failures = await work(attempts);
  let next = 0;
  return Promise.all(
    messages.map(async (message) => {
      const mine = failures.slice(next, next + itemsOf(message).length);
      next += mine.length;
      const found = mine.filter((failure) => failure !== null);
      if (!('error' in message.content)) return settle(message, found, deps);
      countFailure(deps.metrics, message.content.error);
      return settle(message, [{ error: message.content.error }], deps);
    }),
  );
}

/**
 * What Lambda must answer its queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * @throws what could not be dead-lettered, where there is no queue that would bring it back
 */
export function batchResponse(settled: SettledMessage<unknown>[]): SQSBatchResponse {
  const retried = settled.filter(({ verdict }) => verdict === 'retry');
  for (const { message, error } of retried) {
    if (message.receipt === null) throw error;
  }
  return {
    batchItemFailures: retried.flatMap(({ message }) => (message.receipt ? [{ itemIdentifier: message.receipt.messageId }] : [])),
  };
}

/** What logs say of an error. The causes of a message with thousands of items stand once in each of its lines. */
export function describeError({ code, message, nextStep, retryable }: SealdropError) {
  return { code, cause: message.slice(0, LONGEST_LOGGED_CAUSE), nextStep, retryable };
}

/** A message is retried while one of its items may heal; it is dead-lettered once none can, or at its last delivery. */
async function settle<Item extends Traced>(
  message: EventMessage<Item>,
  failures: Failure[],
  deps: SettleDeps,
): Promise<SettledMessage<Item>> {
  const error = together(failures.map((failure) => failure.error));
  if (error === null) return { message, verdict: 'done', error: null };
  if (error.retryable && !isLastTry(message, deps)) {
    await backOff(message, deps, failures);
    return { message, verdict: 'retry', error };
  }
  try {
    await deps.deadLetters.send(message.body, error);
    logEach(message, deps.log, 'dead-lettered', error);
    return { message, verdict: 'dead-lettered', error };
  } catch (failure) {
    // Tried again; at last the queue's own redrive catches it, without the cause.
    await backOff(message, deps);
    logEach(message, deps.log, 'could not dead-letter', asSealdropError(failure));
    return { message, verdict: 'retry', error };
  }
}

/** Full jitter, unless a failure knows better: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
async function backOff<Item extends Traced>(message: EventMessage<Item>, deps: SettleDeps, failures: Failure[] = []): Promise<void> {
  if (message.receipt === null) return;
  const { receiptHandle, receiveCount } = message.receipt;
  const ceiling = Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (receiveCount - 1));
  const known = failures.flatMap(({ retryAfterSeconds }) => (retryAfterSeconds === undefined ? [] : [retryAfterSeconds]));
  const VisibilityTimeout = Math.ceil(known.length > 0 ? Math.min(...known) : Math.random() * ceiling);
  const change = new ChangeMessageVisibilityCommand({ QueueUrl: deps.queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout });
  await deps.sqs.send(change).catch((error: unknown) => {
    // The message then comes back when the queue's own visibility timeout ends.
    logEach(message, deps.log, 'could not set the retry delay', asSealdropError(error), 'warn');
  });
}

function attempt<Item>(item: Item, message: EventMessage<Item>, deps: SettleDeps): Attempt<Item> {
  return { item, delivery: message.receipt?.receiveCount ?? 1, lastTry: isLastTry(message, deps) };
}

/** Without a queue there is no other: what invoked the function may drop the event after its own few retries. */
function isLastTry({ receipt }: EventMessage<unknown>, { maxReceiveCount }: SettleDeps): boolean {
  return receipt === null || receipt.receiveCount >= maxReceiveCount;
}

/** One error for a message with several items: the code of one that may heal, else of the first, and every cause. */
function together(errors: SealdropError[]): SealdropError | null {
  const first = errors.find((error) => error.retryable) ?? errors[0];
  if (first === undefined || errors.length === 1) return first ?? null;
  const causes = errors.map(({ code, message, object }) => `${object?.key ?? 'an event'}: ${code}: ${message}`);
  return new SealdropError(first.code, causes.join('; '), { object: first.object, cause: first });
}

function itemsOf<Item>({ content }: EventMessage<Item>): Item[] {
  return 'items' in content ? content.items : [];
}

/** A line an item, so that each can be followed by its correlation id. */
function logEach<Item extends Traced>(
  message: EventMessage<Item>,
  log: Log,
  text: string,
  error: SealdropError,
  level: 'warn' | 'error' = 'error',
): void {
  const about = { messageId: message.receipt?.messageId, ...describeError(error) };
  const items = itemsOf(message);
  if (items.length === 0) log[level](text, about);
  for (const { bucket, key, correlationId } of items) log[level](text, { bucket, key, correlationId, ...about });
}
