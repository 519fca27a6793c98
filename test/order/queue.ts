/** A queue with a clock of its own: nothing waits in real time for what comes again in a quarter of an hour. */
import type { SQSBatchResponse } from 'aws-lambda';

const START_MS = Date.parse('2026-11-20T10:00:00.000Z');
/** As in the stack. */
export const MAX_RECEIVES = 5;
/** Longer than any invocation takes. */
const VISIBILITY_SECONDS = 1_000_000;

export interface QueuedMessage {
  id: string;
  body: string;
  receives: number;
  /** Seconds on the queue's clock. */
  visibleAt: number;
}

export interface DeadLetter {
  body: string;
  /** Absent where the queue itself gave the message up. */
  code?: string;
}

export interface Queue {
  deadLetters: DeadLetter[];
  send(body: string, delaySeconds: number): void;
  /** Those visible now, at most so many; they are hidden until they are settled or their time is over. */
  receive(max: number): QueuedMessage[];
  changeVisibility(id: string, seconds: number): void;
  /** What Lambda does with a function's answer. */
  settle(messages: QueuedMessage[], answer: SQSBatchResponse): void;
  /** Seconds pass. */
  pass(seconds: number): void;
  /** To the moment when the next message can be seen. @returns false when none is left */
  skipToNext(): boolean;
  left(): number;
  /** Milliseconds on the queue's clock. */
  now(): number;
}

export function createQueue(): Queue {
  const messages = new Map<string, QueuedMessage>();
  const deadLetters: DeadLetter[] = [];
  let now = 0;
  let count = 0;
  return {
    deadLetters,
    send(body, delaySeconds) {
      count += 1;
      const id = `message-${count}`;
      messages.set(id, { id, body, receives: 0, visibleAt: now + delaySeconds });
    },
    receive(max) {
      const visible = [...messages.values()].filter(({ visibleAt }) => visibleAt <= now);
      for (const given of visible.filter(({ receives }) => receives >= MAX_RECEIVES)) {
        messages.delete(given.id);
        deadLetters.push({ body: given.body });
      }
      const taken = visible.filter(({ receives }) => receives < MAX_RECEIVES).slice(0, max);
      for (const message of taken) {
        message.receives += 1;
        message.visibleAt = now + VISIBILITY_SECONDS;
      }
      return taken.map((message) => ({ ...message }));
    },
    changeVisibility(id, seconds) {
      const message = messages.get(id);
      if (message !== undefined) message.visibleAt = now + seconds;
    },
    settle(taken, { batchItemFailures }) {
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { id } of taken) if (!failed.has(id)) messages.delete(id);
    },
    pass(seconds) {
      now += seconds;
    },
    skipToNext() {
      const next = Math.min(...[...messages.values()].map(({ visibleAt }) => visibleAt));
      now = Math.max(now, Number.isFinite(next) ? next : now);
      return messages.size > 0;
    },
    left: () => messages.size,
    now: () => START_MS + now * 1000,
  };
}

/** The event of a batch, as Lambda gives it to the function. */
export function sqsEvent(taken: QueuedMessage[]) {
  return {
    Records: taken.map(({ id, body, receives }) => ({
      messageId: id,
      receiptHandle: id,
      body,
      attributes: { ApproximateReceiveCount: String(receives) },
      eventSource: 'aws:sqs',
    })),
  };
}
