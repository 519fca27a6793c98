import { ChangeMessageVisibilityBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { CannotLook } from '../../../cli/cannot-look.ts';
import { missed, readThrough } from '../../../cli/dead-letters/read-through.ts';
import { fakeQueues, refusal } from './fake-queues.ts';

const signal = new AbortController().signal;

function queuesWith(count: number) {
  const queues = fakeQueues();
  for (let index = 0; index < count; index += 1) queues.bury({ key: `${index}` });
  return queues;
}

describe('reading a queue through', () => {
  test.each([0, 1, 9, 10, 11, 95])('sees each of %i messages once and gives all back', async (count) => {
    const queues = queuesWith(count);
    const ids: unknown[] = [];
    const reading = await readThrough(
      queues.deadLetters,
      ({ MessageId }) => {
        ids.push(MessageId);
        return 'give back';
      },
      { signal },
    );
    expect(new Set(ids).size).toBe(count);
    expect(reading).toEqual({ seen: count, waiting: count, hidden: 0, ended: 'empty' });
    expect(missed(reading)).toBeNull();
    expect(queues.hidden()).toBe(0);
  });

  test('leaves what is kept hidden', async () => {
    const queues = queuesWith(25);
    await readThrough(queues.deadLetters, ({ MessageId }) => (MessageId === 'id-7' ? 'keep' : 'give back'), { signal });
    expect(queues.hidden()).toBe(1);
  });

  test.each<[title: string, options: { maxMessages?: number; readMs?: number; full?: () => boolean }]>([
    ['so many', { maxMessages: 20 }],
    ['its time', { readMs: -1 }],
    ['its room', { full: () => true }],
  ])('ends after %s, says so, and gives back what it has', async (_, options) => {
    const queues = queuesWith(300);
    const reading = await readThrough(queues.deadLetters, () => 'give back', { signal, ...options });
    expect(reading.seen).toBeLessThan(300);
    expect(missed(reading)).toContain(`about ${300 - reading.seen}`);
    expect(queues.hidden()).toBe(0);
  });

  test('ends when it is interrupted, and gives back what it has', async () => {
    const queues = queuesWith(300);
    const abort = new AbortController();
    const visit = () => {
      abort.abort();
      return 'give back' as const;
    };
    const reading = await readThrough(queues.deadLetters, visit, { signal: abort.signal });
    expect(reading).toMatchObject({ ended: 'interrupted' });
    expect(reading.seen).toBeLessThan(300);
    expect(queues.hidden()).toBe(0);
  });

  test('ends where SQS hides no more', async () => {
    const queues = queuesWith(30);
    queues.sqs.on(ReceiveMessageCommand).rejects(refusal('OverLimit'));
    expect(missed(await readThrough(queues.deadLetters, () => 'give back', { signal }))).toContain('about 30');
  });

  test('gives back what it has when a call is refused, and says which right is missing', async () => {
    const queues = queuesWith(10);
    queues.sqs
      .on(ReceiveMessageCommand)
      .resolvesOnce({ Messages: [{ MessageId: 'id-1', ReceiptHandle: 'id-1', Body: '{}' }] })
      .rejects(refusal('AccessDenied', 403));
    const read = readThrough(queues.deadLetters, () => 'give back', { signal });
    await expect(read).rejects.toThrow(CannotLook);
    await expect(read).rejects.toThrow('grant sqs:ReceiveMessage');
    expect(queues.calls).toContain('give back dead');
  });

  test('tells of messages that somebody else has', async () => {
    const queues = queuesWith(3);
    await readThrough(queues.deadLetters, () => 'keep', { signal });
    const reading = await readThrough(queues.deadLetters, () => 'give back', { signal });
    expect(missed(reading)).toContain('about 3 were hidden');
  });

  test('does not mind messages that cannot be given back: they come back by themselves', async () => {
    const queues = queuesWith(3);
    queues.sqs.on(ChangeMessageVisibilityBatchCommand).rejects(refusal('InternalError', 500));
    expect(await readThrough(queues.deadLetters, () => 'give back', { signal })).toMatchObject({ seen: 3 });
  });
});
