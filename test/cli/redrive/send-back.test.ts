import { DeleteMessageBatchCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { collect } from '../../../cli/redrive/collect.ts';
import { sendBack } from '../../../cli/redrive/send-back.ts';
import { bodyOf, fakeQueues, type Letter, refusal } from '../dead-letters/fake-queues.ts';
import { evidenceOf } from './evidence.ts';

const never = new AbortController().signal;
const ALL = { codes: [], keyPrefix: '' };

function queuesWith(...letters: Letter[]) {
  const queues = fakeQueues();
  for (const letter of letters) queues.bury(letter);
  return queues;
}

async function redriven(
  queues: ReturnType<typeof fakeQueues>,
  { wanted = ALL as { codes: string[]; keyPrefix: string }, known = {}, signal = never, dryRun = false } = {},
) {
  const collection = await collect(queues.deadLetters, wanted, never);
  const { settled, trouble } = await sendBack(collection.tasks, queues, evidenceOf(known), { signal, dryRun });
  return { ...collection, trouble, fates: settled.map(({ task, fate }) => `${task.refs.map(({ key }) => key).join('+')} ${fate}`).sort() };
}

describe('what is sent back', () => {
  test('is the body as it was, without attributes, sent before it is deleted', async () => {
    const letter = { key: 'a ü.txt', sequencer: '0B' };
    const queues = queuesWith(letter);
    expect((await redriven(queues)).fates).toEqual(['a ü.txt sent']);
    expect(queues.bodies('ingest')).toEqual([bodyOf(letter)]);
    expect(queues.bodies('dead')).toEqual([]);
    expect(queues.sqs.commandCalls(SendMessageBatchCommand)[0]?.args[0].input.Entries).toEqual([{ Id: '0', MessageBody: bodyOf(letter) }]);
    expect(queues.calls.filter((call) => /send|delete/.test(call))).toEqual(['send ingest', 'delete dead']);
  });

  test('goes once, however many messages ask for it, and all of them are deleted', async () => {
    const queues = queuesWith(
      { key: 'a', code: null, sentMs: 1 },
      { key: 'a', code: 'quota', sentMs: 3 },
      { key: 'a', code: 'kms-key-denied', sentMs: 2 },
    );
    const { fates, tasks } = await redriven(queues);
    expect(fates).toEqual(['a sent']);
    expect(tasks[0]?.code).toBe('quota');
    expect(queues.bodies('ingest')).toHaveLength(1);
    expect(queues.bodies('dead')).toEqual([]);
  });

  test('is not what the record shows superseded: that is dropped', async () => {
    const queues = queuesWith({ key: 'a', sequencer: '0A' }, { key: 'b', sequencer: '0A' });
    expect((await redriven(queues, { known: { records: { a: '0B' } } })).fates).toEqual(['a superseded', 'b sent']);
    expect(queues.bodies('dead')).toEqual([]);
    expect(queues.bodies('ingest')).toEqual([bodyOf({ key: 'b', sequencer: '0A' })]);
  });

  test.each([
    [{ a: '0B', b: '0B' }, 'superseded'],
    [{ a: '0B' }, 'sent'],
  ])('with several objects is superseded only if all are: records %j → %s', async (records, fate) => {
    const queues = queuesWith({ key: 'a', keys: ['a', 'b'], sequencer: '0A' });
    expect((await redriven(queues, { known: { records } })).fates).toEqual([`a+b ${fate}`]);
  });

  test.each<[title: string, wanted: { codes: string[]; keyPrefix: string }, bodies: number]>([
    ['all with an object', ALL, 3],
    ['one code', { codes: ['quota'], keyPrefix: '' }, 1],
    ['two codes', { codes: ['quota', 'unknown'], keyPrefix: '' }, 2],
    ['a prefix', { codes: [], keyPrefix: 'x/' }, 2],
    ['a code and a prefix', { codes: ['quota'], keyPrefix: 'x/' }, 0],
    ['what holds no object, by name', { codes: ['malformed-event'], keyPrefix: '' }, 1],
    ['a text without its end, by name', { codes: ['too-large'], keyPrefix: '' }, 0],
  ])('is what was asked for: %s; the rest is visible again', async (_, wanted, bodies) => {
    const queues = queuesWith(
      { key: 'x/1' },
      { key: 'y/2', code: 'quota' },
      { key: 'x/3', code: null },
      { key: '', body: 'no event', code: 'malformed-event' },
      { key: 'x/4', body: '{"Records":[', code: 'too-large', attributes: { shortenedFrom: '1 bytes' } },
    );
    expect((await redriven(queues, { wanted })).others).toBe(5 - bodies);
    expect(queues.bodies('ingest')).toHaveLength(bodies);
    expect(queues.bodies('dead')).toHaveLength(5 - bodies);
    expect(queues.hidden()).toBe(0);
  });

  test('in a dry run is nothing: everything is visible again', async () => {
    const queues = queuesWith({ key: 'a' }, { key: 'b' });
    expect((await redriven(queues, { dryRun: true, known: { records: { a: '0B' } } })).fates).toEqual(['a superseded', 'b sent']);
    expect(queues.bodies('dead')).toHaveLength(2);
    expect(queues.hidden()).toBe(0);
    expect(queues.calls.some((call) => /send|delete/.test(call))).toBe(false);
  });

  test('is nothing more once it is interrupted: the rest is visible again', async () => {
    const queues = queuesWith(...Array.from({ length: 200 }, (_, index) => ({ key: `${index}` })));
    const abort = new AbortController();
    queues.sqs.on(SendMessageBatchCommand).callsFake(async ({ Entries }) => {
      abort.abort();
      return { Successful: Entries };
    });
    const { fates } = await redriven(queues, { signal: abort.signal });
    const sent = fates.filter((fate) => fate.endsWith('sent')).length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(200);
    expect(queues.bodies('dead')).toHaveLength(200 - sent);
    expect(queues.hidden()).toBe(0);
  });
});

describe('what cannot be sent', () => {
  test('stays among the dead letters: one that the queue did not take', async () => {
    const queues = queuesWith({ key: 'a' }, { key: 'b' });
    queues.sqs.on(SendMessageBatchCommand).callsFake(async ({ Entries }) => ({ Successful: Entries.slice(0, 1) }));
    expect((await redriven(queues)).fates).toEqual(['a sent', 'b refused']);
    expect(queues.bodies('dead')).toEqual([bodyOf({ key: 'b' })]);
    expect(queues.hidden()).toBe(0);
  });

  test('stays there: all of a call that failed, and what would have come after it', async () => {
    const queues = queuesWith(...Array.from({ length: 200 }, (_, index) => ({ key: `${index}` })));
    queues.sqs
      .on(SendMessageBatchCommand)
      .callsFakeOnce(async ({ Entries }) => ({ Successful: Entries }))
      .rejects(refusal('ThrottlingException'));
    const { fates, trouble } = await redriven(queues);
    expect(trouble?.message).toContain('ThrottlingException');
    expect(fates.filter((fate) => fate.endsWith('sent'))).toHaveLength(10);
    expect(queues.bodies('dead')).toHaveLength(190);
    expect(queues.hidden()).toBe(0);
  });

  test('at all is an error, and everything is visible again', async () => {
    const queues = queuesWith({ key: 'a' });
    queues.sqs.on(SendMessageBatchCommand).rejects(refusal('AccessDenied', 403));
    await expect(redriven(queues)).rejects.toThrow('grant sqs:SendMessage');
    expect(queues.hidden()).toBe(0);
    expect(queues.bodies('dead')).toHaveLength(1);
  });

  test('for want of a right to delete is doubled and not lost', async () => {
    const queues = queuesWith({ key: 'a' });
    queues.sqs.on(DeleteMessageBatchCommand).rejects(refusal('AccessDenied', 403));
    const { fates, trouble } = await redriven(queues);
    expect(fates).toEqual(['a sent']);
    expect(trouble?.message).toContain('grant sqs:DeleteMessage');
    expect([queues.bodies('dead').length, queues.bodies('ingest').length, queues.hidden()]).toEqual([1, 1, 0]);
  });
});
