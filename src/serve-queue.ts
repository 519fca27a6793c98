/** What the functions that a queue feeds have in common: they stop in time, report by message, and count at the end. */
import type { Context, SQSBatchResponse } from 'aws-lambda';
import type { Metrics } from './metrics.ts';
import { batchResponse, type SettledMessage } from './settle-messages.ts';

interface QueueDeps {
  metrics: Metrics;
  /** Begin nothing that takes long after it. */
  stop?: AbortSignal;
  /** Gives slow calls up. */
  signal?: AbortSignal;
}

/** Milliseconds before the function's time ends. */
export interface Reserves {
  /** From here on nothing long is begun; what is under way may end. */
  stopMs: number;
  /** From here on calls are given up: kept for what must be written then. */
  giveUpMs: number;
}

/**
 * @param settle does the work of an event's messages
 * @returns a handler that reports per message; without a queue it throws only what could not be dead-lettered
 */
export const serveQueue =
  <Deps extends QueueDeps>({ stopMs, giveUpMs }: Reserves, settle: (event: unknown, deps: Deps) => Promise<SettledMessage<unknown>[]>) =>
  (deps: () => Deps) =>
  async (event: unknown, context?: Pick<Context, 'getRemainingTimeInMillis'>): Promise<SQSBatchResponse> => {
    const own = deps();
    const before = (ms: number) => context && AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - ms));
    const [stop, signal] = [before(stopMs), before(giveUpMs)];
    try {
      return batchResponse(await settle(event, { ...own, ...(stop && { stop }), ...(signal && { signal }) }));
    } finally {
      own.metrics.flush();
    }
  };
