/** What the functions that a queue feeds have in common: they stop in time, report by message, and count at the end. */
import type { Context, SQSBatchResponse } from 'aws-lambda';
import type { Metrics } from './metrics.ts';
import { batchResponse, type SettledMessage } from './settle-messages.ts';

interface QueueDeps {
  metrics: Metrics;
  /** Gives slow calls up. */
  signal?: AbortSignal;
}

/**
 * @param reserveMs kept for what must be written once slow calls are given up
 * @param settle does the work of an event's messages
 * @returns a handler that reports per message; without a queue it throws only what could not be dead-lettered
 */
export const serveQueue =
  <Deps extends QueueDeps>(reserveMs: number, settle: (event: unknown, deps: Deps) => Promise<SettledMessage<unknown>[]>) =>
  (deps: () => Deps) =>
  async (event: unknown, context?: Pick<Context, 'getRemainingTimeInMillis'>): Promise<SQSBatchResponse> => {
    const own = deps();
    const signal = context && AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - reserveMs));
    try {
      return batchResponse(await settle(event, signal === undefined ? own : { ...own, signal }));
    } finally {
      own.metrics.flush();
    }
  };
