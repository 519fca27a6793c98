/**
 * Feeds a queue's messages to a function, as Lambda's event source mapping does, but driven by the queue instead of
 * polling it. What failed stays in the queue until its visibility timeout: redrive to the dead letters is the queue's.
 *
 * What it does not do (2026-11-21): sources other than SQS, filter criteria, on-failure destinations, provisioned pollers,
 * batches larger than the queue's 10 a receive without a batching window, the slow start of AWS's pollers.
 */
import { AwsError } from '../aws-error.ts';
import type { QueueMessage, Queues } from '../service.ts';
import type { Functions, InvokeResult } from './functions.ts';
import { createSqsEvent, judgeBatch } from './sqs-event.ts';

/** Messages of one receive (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html). */
const RECEIVE_MAX = 10;
/** An event of a synchronous invocation is at most 6 MB; records grow a little beyond their bodies. */
const MAX_BATCH_BYTES = 5 * 1024 * 1024;

/** How long a refused poller rests: nobody tells it when rights change. */
const RETRY_MS = 1000;

export interface EventSourceMapping {
  queueArn: string;
  functionName: string;
  batchSize: number;
  /** Seconds to gather a full batch; 0 hands on what is there. */
  batchingWindowSeconds: number;
  /** Batches under way at once. */
  maximumConcurrency: number;
  reportBatchItemFailures: boolean;
  enabled: boolean;
}

export interface EventSourceMappings {
  /**
   * Creates or replaces the mapping `id`. Batches under way finish by the old one.
   * @throws AwsError when the queue or the function is missing, or its role may not fetch messages
   */
  put(id: string, mapping: EventSourceMapping): void;
  remove(id: string): void;
  /** Takes no more messages and waits for nothing: what is under way comes back when its visibility timeout ends. */
  stop(): void;
}

/** @param maxConcurrency lowers every mapping's own maximum. */
export function openEventSourceMappings(options: { queues: Queues; functions: Functions; maxConcurrency: number }): EventSourceMappings {
  const mappings = new Map<string, { stop: () => void }>();
  return {
    put(id, mapping) {
      requireRights(options.queues, options.functions, mapping);
      mappings.get(id)?.stop();
      const maximumConcurrency = Math.min(mapping.maximumConcurrency, options.maxConcurrency);
      if (mapping.enabled) mappings.set(id, startPoller(options.queues, options.functions, { ...mapping, maximumConcurrency }));
      else mappings.delete(id);
    },
    remove(id) {
      mappings.get(id)?.stop();
      mappings.delete(id);
    },
    stop() {
      for (const { stop } of mappings.values()) stop();
      mappings.clear();
    },
  };
}

/** As CreateEventSourceMapping does. */
function requireRights(queues: Queues, functions: Functions, { queueArn, functionName }: EventSourceMapping): void {
  try {
    queues.requirePolling(queueArn, functions.sessionOf(functionName));
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'AccessDeniedException') throw error;
    const message = `The function execution role does not have permissions to fetch from SQS. ${error.message}`;
    throw new AwsError(400, 'InvalidParameterValueException', message, { Type: 'User' });
  }
}

function startPoller(queues: Queues, functions: Functions, mapping: EventSourceMapping): { stop: () => void } {
  const { queueArn, batchSize, batchingWindowSeconds } = mapping;
  let batch: QueueMessage[] = [];
  let bytes = 0;
  let windowTimer: NodeJS.Timeout | null = null;
  let windowOver = false;
  let underWay = 0;
  let stopped = false;
  let scheduled = false;
  let refused = false;
  let retryTimer: NodeJS.Timeout | null = null;

  const unsubscribe = queues.onAvailable(queueArn, schedule);
  schedule();

  return {
    stop() {
      stopped = true;
      unsubscribe();
      if (windowTimer !== null) clearTimeout(windowTimer);
      if (retryTimer !== null) clearTimeout(retryTimer);
    },
  };

  // Messages arrive inside other services' transactions: look after those are done.
  function schedule(): void {
    if (scheduled || stopped) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      pump();
    });
  }

  function pump(): void {
    while (!stopped && underWay < mapping.maximumConcurrency) {
      const more = fill();
      if (batch.length === 0) return;
      if (full() || batchingWindowSeconds === 0 || windowOver) dispatch();
      else if (!more) {
        startWindow();
        return;
      }
    }
  }

  function full(): boolean {
    return batch.length >= batchSize || bytes >= MAX_BATCH_BYTES;
  }

  function fill(): boolean {
    if (full()) return true;
    if (!mayPoll()) return false;
    const received = queues.receive(queueArn, { max: Math.min(RECEIVE_MAX, batchSize - batch.length) });
    batch.push(...received);
    bytes += received.reduce((sum, message) => sum + Buffer.byteLength(message.body), 0);
    return received.length > 0;
  }

  /** Each poll acts with the function's role; a refusal is noted once. */
  function mayPoll(): boolean {
    try {
      queues.requirePolling(queueArn, functions.sessionOf(mapping.functionName));
      refused = false;
      return true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      if (!refused) functions.note(mapping.functionName, `${new Date().toISOString()}\tPROBLEM\t${error.message}\n`);
      refused = true;
      retryTimer ??= setTimeout(retry, RETRY_MS).unref();
      return false;
    }
  }

  function retry(): void {
    retryTimer = null;
    schedule();
  }

  function startWindow(): void {
    windowTimer ??= setTimeout(() => {
      windowTimer = null;
      windowOver = true;
      pump();
    }, batchingWindowSeconds * 1000);
  }

  function dispatch(): void {
    const messages = batch;
    batch = [];
    bytes = 0;
    windowOver = false;
    if (windowTimer !== null) clearTimeout(windowTimer);
    windowTimer = null;
    underWay += 1;
    void run(messages).finally(() => {
      underWay -= 1;
      schedule();
    });
  }

  async function run(messages: QueueMessage[]): Promise<void> {
    const result = await invoke(messages);
    if (result === null || result.functionError !== null || stopped) return;
    const ids = messages.map(({ messageId }) => messageId);
    const { done } = mapping.reportBatchItemFailures ? judgeBatch(ids, result.payload.toString('utf8')) : { done: ids };
    const deletable = new Set(done);
    for (const { messageId, receiptHandle } of messages) {
      if (deletable.has(messageId)) queues.delete(queueArn, receiptHandle);
    }
  }

  /** `null`: the function is not there (any more); its messages come back. */
  async function invoke(messages: QueueMessage[]): Promise<InvokeResult | null> {
    try {
      return await functions.invoke(mapping.functionName, createSqsEvent(queueArn, messages));
    } catch {
      return null;
    }
  }
}
