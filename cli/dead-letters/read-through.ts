/** Every message of a queue once, without consuming it. */
import type { Message } from '@aws-sdk/client-sqs';
import { countMessages, giveBack, type Queue, receive } from './queue.ts';

/** Whoever is killed meanwhile leaves its messages hidden for so long. */
export const HIDE_SECONDS = 120;
/** What is read later could come a second time. */
const READ_MS = 90_000;
/** SQS hides 120,000: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_MESSAGES = 100_000;
const PARALLEL_READERS = 8;

export interface Reading {
  /** Messages that were seen; doubles count. */
  seen: number;
  /** How many there were when it began, as SQS counts: approximately. */
  waiting: number;
  /** How many somebody else had at that time. */
  hidden: number;
  /** `empty`: there was no more. */
  ended: 'empty' | 'time' | 'limit' | 'interrupted';
}

interface ReadOptions {
  /** Reads no further; what was read is given back. */
  signal: AbortSignal;
  /** Asked before each call: as much was kept as there is room for. */
  full?: () => boolean;
  maxMessages?: number;
  readMs?: number;
}

/**
 * Hides messages while it reads, so that none comes twice, and makes them visible again at the end, whatever happens.
 * @param visit `keep`: the message stays hidden, and whoever said so gives it back
 * @throws CannotLook
 */
export async function readThrough(
  queue: Queue,
  visit: (message: Message) => 'give back' | 'keep',
  { signal, full = () => false, maxMessages = MAX_MESSAGES, readMs = READ_MS }: ReadOptions,
): Promise<Reading> {
  const { visible, hidden } = await countMessages(queue);
  const handles: string[] = [];
  const reading: Reading = { seen: 0, waiting: visible, hidden, ended: 'empty' };
  const deadline = Date.now() + readMs;
  let failed = false;
  const stop = (why: Reading['ended']) => {
    reading.ended = why;
    return false;
  };
  const goesOn = () => {
    if (failed) return false;
    if (signal.aborted) return stop('interrupted');
    if (Date.now() > deadline) return stop('time');
    return reading.seen < maxMessages && !full() ? true : stop('limit');
  };
  // A call under way is never given up: SQS would hide what nobody gets.
  const reader = async () => {
    while (goesOn()) {
      const messages = await receive(queue, HIDE_SECONDS).catch((error: unknown) => {
        failed = true;
        throw error;
      });
      if (messages === null) stop('limit');
      if (messages === null || messages.length === 0) return;
      for (const message of messages) {
        reading.seen += 1;
        if (visit(message) === 'give back') handles.push(message.ReceiptHandle ?? '');
      }
    }
  };
  const readers = await Promise.allSettled(Array.from({ length: PARALLEL_READERS }, reader));
  await giveBack(queue, handles);
  for (const result of readers) if (result.status === 'rejected') throw result.reason;
  return reading;
}

/** What a reading may have missed, in words; `null`: nothing. */
export function missed({ seen, waiting, hidden, ended }: Reading): string | null {
  const more = Math.max(0, waiting - seen);
  const reasons = [
    ended === 'time' || ended === 'limit' ? `the rest${more > 0 ? `, about ${more},` : ''} were too many to be read at once` : null,
    ended === 'interrupted' ? `about ${more} were not read, since it was interrupted` : null,
    ended === 'empty' && more > 0 ? `about ${more} more were counted and did not come` : null,
    hidden > 0 ? `about ${hidden} were hidden, since somebody else was reading them; they come back by themselves` : null,
  ];
  const said = reasons.filter((reason) => reason !== null);
  return said.length === 0 ? null : `Not all was seen: ${said.join('; ')}.`;
}
