/** The books of one invocation: each message ends in one place, and in the right one. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import type { EventMessage } from '../../src/events/index.ts';
import type { LogEntry } from '../fixtures/aws.ts';
import { DEAD_LETTER_URL, type EncryptWorld } from '../fixtures/encrypt-world.ts';

export interface Ends {
  done: number;
  retried: number;
  deadLettered: number;
}

/** What a queue takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const SENDABLE = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Fails where a message ended nowhere or twice, or as done without having been done.
 * @param messages what the event holds; ids are distinct
 * @param isDone whether this item's work is to be seen in the world
 */
export function expectSettled<Item>(
  messages: EventMessage<Item>[],
  answer: unknown,
  world: Pick<EncryptWorld, 'sqs' | 'log' | 'metrics'>,
  isDone: (item: Item) => boolean,
): Ends {
  const retriedIds = idsOf(answer);
  const ids = messages.flatMap(({ receipt }) => (receipt === null ? [] : [receipt.messageId]));
  expect(new Set(retriedIds).size).toBe(retriedIds.length);
  expect(ids).toEqual(expect.arrayContaining(retriedIds));

  const letters = lettersOf(world);
  const ends: Ends = { done: 0, retried: 0, deadLettered: 0 };
  for (const { body, receipt, content } of messages) {
    const at = letters.findIndex((letter) => holds(letter, body));
    if (receipt !== null && retriedIds.includes(receipt.messageId)) {
      ends.retried += 1;
    } else if (at >= 0) {
      const [letter] = letters.splice(at, 1);
      if ('error' in content) expect(letter?.code).toBe('malformed-event');
      ends.deadLettered += 1;
    } else {
      if ('error' in content) throw new Error('a message that nobody understood is nowhere');
      for (const item of content.items) expect(isDone(item), 'acknowledged, and not done').toBe(true);
      ends.done += 1;
    }
  }
  expect(letters, 'letters of no message, or of one that comes again').toEqual([]);
  expectReadable(world.log.entries);
  expect(world.metrics.flushes).toBe(1);
  return ends;
}

/** A text that leaves no room for its cause is cut, and says so. */
function holds({ body, shortened }: { body: string; shortened: boolean }, original: string): boolean {
  return shortened ? original.startsWith(body.slice(0, -1)) : original === body;
}

function idsOf(answer: unknown): string[] {
  expect(answer).toEqual({ batchItemFailures: expect.any(Array) });
  return (answer as { batchItemFailures: unknown[] }).batchItemFailures.map((failure) => {
    expect(failure).toEqual({ itemIdentifier: expect.any(String) });
    return (failure as { itemIdentifier: string }).itemIdentifier;
  });
}

/** Those that the queue took. */
function lettersOf({ sqs }: Pick<EncryptWorld, 'sqs'>) {
  return sqs.commandCalls(SendMessageCommand).flatMap(({ args: [{ input }] }) => {
    const attributes = Object.entries(input.MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [name, StringValue] as const);
    for (const text of [input.MessageBody ?? '', ...attributes.map(([, value]) => value)]) expect(text).toMatch(SENDABLE);
    const bytes = [input.MessageBody ?? '', ...attributes.flat()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeLessThan(MAX_MESSAGE_BYTES);
    const { code, shortenedFrom } = Object.fromEntries<string | undefined>(attributes);
    return input.QueueUrl === DEAD_LETTER_URL ? [{ body: input.MessageBody ?? '', code, shortened: shortenedFrom !== undefined }] : [];
  });
}

/** One line an entry, short enough to be kept. */
function expectReadable(entries: LogEntry[]) {
  for (const entry of entries) expect(JSON.stringify(entry).length).toBeLessThan(64 * 1024);
}
