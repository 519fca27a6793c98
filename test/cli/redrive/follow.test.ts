import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { readIngestLetter } from '../../../cli/dead-letters/letter.ts';
import { type Fate, follow } from '../../../cli/redrive/follow.ts';
import { SealdropError } from '../../../src/errors.ts';
import { bridged } from '../../fixtures/messages.ts';
import { bodyOf, fakeQueues } from '../dead-letters/fake-queues.ts';
import { evidenceOf } from './evidence.ts';

const never = new AbortController().signal;
/** Two looks: at once, and at the end. */
const SHORT = 1;
/** As long as it takes; a test that waits in vain fails by its own time. */
const LONG = 3_600_000;
const UNDER_WAY: Fate = { kind: 'under way' };

const sentOf = (Body: string) => readIngestLetter({ Body }).refs.map((ref) => ({ ref, code: 'kms-key-disabled' }));
const A = sentOf(bodyOf({ key: 'a' }));

interface Given {
  queues?: ReturnType<typeof fakeQueues>;
  evidence?: ReturnType<typeof evidenceOf>;
  sent?: typeof A;
  seenIds?: Set<string>;
  timeoutMs?: number;
  signal?: AbortSignal;
  progress?: (over: number) => void;
}

function following({ queues = fakeQueues(), evidence = evidenceOf({}), sent = A, ...options }: Given) {
  const { seenIds = new Set(), timeoutMs = LONG, signal = never, progress = () => {} } = options;
  return follow(sent, queues.deadLetters, evidence, { seenIds, sentAfter: Date.now(), timeoutMs, signal, progress });
}

async function fatesOf(given: Given): Promise<Fate[]> {
  return (await following(given)).followed.map(({ fate }) => fate);
}

describe('an object that was sent back', () => {
  test('is encrypted once its record says so', async () => {
    const known: { records: Record<string, string> } = { records: {} };
    const progress = () => {
      known.records.a = '0A';
    };
    expect(await fatesOf({ evidence: evidenceOf(known), progress })).toEqual([{ kind: 'encrypted' }]);
  });

  test('failed again when it is a dead letter again, by its new cause', async () => {
    const queues = fakeQueues();
    const progress = () => {
      if (queues.bodies('dead').length === 0) queues.bury({ key: 'a', code: 'source-gone', cause: 'why' });
    };
    const nextStep = expect.stringContaining('drop the file again');
    expect(await fatesOf({ queues, progress })).toEqual([{ kind: 'failed', code: 'source-gone', cause: 'why', nextStep }]);
    expect(queues.bodies('dead')).toHaveLength(1);
    expect(queues.hidden()).toBe(0);
  });

  test('is encrypted, although a double of it is a dead letter', async () => {
    const queues = fakeQueues();
    queues.bury({ key: 'a' });
    let looks = 0;
    const evidence = evidenceOf({ records: { a: '0A' } });
    const { latest } = evidence.records;
    // The record comes between the look at it and the look at the dead letters.
    evidence.records.latest = async (...args) => {
      looks += 1;
      return looks === 1 ? null : latest(...args);
    };
    expect(await fatesOf({ queues, evidence })).toEqual([{ kind: 'encrypted' }]);
  });

  test.each<[title: string, bury: (queues: ReturnType<typeof fakeQueues>) => void, seen: string[]]>([
    ['was there before', (queues) => queues.bury({ key: 'a' }), ['id-1']],
    ['was sent long before', (queues) => queues.bury({ key: 'a', sentMs: Date.now() - 3_600_000 }), []],
    ['is about another state', (queues) => queues.bury({ key: 'a', sequencer: '09' }), []],
    ['is about another key', (queues) => queues.bury({ key: 'b' }), []],
  ])('has not failed again by a dead letter that %s', async (_, bury, seen) => {
    const queues = fakeQueues();
    bury(queues);
    expect(await fatesOf({ queues, seenIds: new Set(seen), timeoutMs: SHORT })).toEqual([UNDER_WAY]);
  });

  test('has failed again, although SQS still counts no dead letter', async () => {
    const queues = fakeQueues();
    queues.bury({ key: 'a', code: null });
    queues.sqs.on(GetQueueAttributesCommand).resolves({ Attributes: { ApproximateNumberOfMessages: '0' } });
    expect(await fatesOf({ queues, timeoutMs: SHORT })).toMatchObject([{ kind: 'failed', code: 'unknown' }]);
  });

  test('under a key that may be read in two ways has failed under either', async () => {
    const queues = fakeQueues();
    queues.bury({ key: 'a b', sequencer: '0A' });
    const sent = sentOf(JSON.stringify(bridged({ key: 'a+b', sequencer: '0A' })));
    expect(await fatesOf({ queues, sent })).toMatchObject([{ kind: 'failed' }]);
  });
});

describe('following', () => {
  test('ends with its time', async () => {
    expect(await following({ timeoutMs: SHORT })).toMatchObject({ followed: [{ fate: UNDER_WAY }], trouble: null });
  });

  test('ends when it is interrupted', async () => {
    const abort = new AbortController();
    expect(await fatesOf({ signal: abort.signal, progress: () => abort.abort() })).toEqual([UNDER_WAY]);
  });

  test('bears a failed look', async () => {
    const evidence = evidenceOf({ records: { a: '0A' } });
    const { latest } = evidence.records;
    let failures = 1;
    evidence.records.latest = async (...args) => {
      failures -= 1;
      if (failures >= 0) throw new SealdropError('audit-unavailable', 'the table throttles');
      return latest(...args);
    };
    expect(await following({ evidence })).toMatchObject({ followed: [{ fate: { kind: 'encrypted' } }], trouble: null });
  });

  test('says what kept it from looking to the end', async () => {
    const evidence = evidenceOf({});
    evidence.records.latest = () => Promise.reject(new SealdropError('audit-unavailable', 'the table throttles'));
    const { followed, trouble } = await following({ evidence, timeoutMs: SHORT });
    expect([followed[0]?.fate, trouble?.message]).toEqual([UNDER_WAY, 'the table throttles']);
  });

  test('does not look at the same objects again before it looked at the others', async () => {
    const keys = Array.from({ length: 501 }, (_, index) => `${index}`);
    const abort = new AbortController();
    let rounds = 0;
    const progress = () => {
      rounds += 1;
      if (rounds === 2) abort.abort();
    };
    const evidence = evidenceOf({ records: { 500: '0A' } });
    const fates = await fatesOf({ sent: sentOf(bodyOf({ key: '', keys })), evidence, signal: abort.signal, progress });
    expect(fates.at(-1)).toEqual({ kind: 'encrypted' });
  });

  test('comes to each of more objects than it looks at in one round', async () => {
    const keys = Array.from({ length: 1200 }, (_, index) => `${index}`);
    const evidence = evidenceOf({ records: Object.fromEntries(keys.map((key) => [key, '0A'])) });
    const overs: number[] = [];
    const fates = await fatesOf({ sent: sentOf(bodyOf({ key: '', keys })), evidence, progress: (over) => overs.push(over) });
    expect(fates.every(({ kind }) => kind === 'encrypted')).toBe(true);
    expect(overs).toEqual([500, 1000, 1200]);
  });
});
