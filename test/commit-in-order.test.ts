import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyState } from '../src/audit/object-record.ts';
import { commitInOrder } from '../src/commit-in-order.ts';
import type { StoredCopy, TargetCondition } from '../src/copy/copy-job.ts';
import { SealdropError } from '../src/errors.ts';
import { s3Error } from './fixtures/aws.ts';
import { claimOf, encryptWorld, recordOf } from './fixtures/encrypt-world.ts';
import { objectRef } from './fixtures/objects.ts';

const REF = objectRef({ sequencer: '05' });
const STORED: StoredCopy = { etag: 'mine', proof: 'source-pinned' };
const NOBODY: KeyState = { newest: null, uploads: [], newer: null, newerUploads: [] };
const CHANGED = () => new SealdropError('target-changed', 'x');

// Pauses between rounds are random.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

/**
 * @param answers of one commit after another: what it stores, or throws
 * @param targets the target's ETag, whenever it is asked for; `null`: there is none
 * @param states what the records say, look after look; the last one again and again
 */
function committing(answers: (StoredCopy | Error)[], targets: (string | null)[] = [], states: KeyState[] = [NOBODY]) {
  const order: string[] = [];
  const conditions: TargetCondition[] = [];
  const world = encryptWorld();
  world.s3.on(ListObjectsV2Command).callsFake(async ({ Prefix }) => {
    const etag = targets[order.filter((call) => call === 'list').length] ?? null;
    order.push('list');
    return { Contents: etag === null ? [] : [{ Key: Prefix, ETag: `"${etag}"` }] };
  });
  const look = async () => {
    const state = states[Math.min(order.filter((call) => call === 'look').length, states.length - 1)] ?? NOBODY;
    order.push('look');
    return state;
  };
  const commit = async (condition: TargetCondition) => {
    const answer = answers[conditions.length] ?? CHANGED();
    order.push('commit');
    conditions.push(condition);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const deps = { ...world.deps, records: { ...world.deps.records, look } };
  const run = (first: TargetCondition = 'absent') => commitInOrder({ commit, abandon: async () => {} }, REF, first, deps);
  return { run, order, conditions, s3: world.s3 };
}

describe('commitInOrder', () => {
  it.each<[TargetCondition]>([['absent'], [{ etag: 'recorded' }]])('commits at once under %j, which the records told', async (first) => {
    const { run, order, conditions } = committing([STORED]);
    expect(await run(first)).toEqual({ stored: STORED, at: expect.stringMatching(/^\d{4}-.*Z$/), replaced: first !== 'absent' });
    expect(conditions).toEqual([first]);
    expect(order).toEqual(['commit']);
  });

  it('looks at the target first and at the claims after it, and insists on the target that it saw', async () => {
    const { run, order, conditions } = committing([CHANGED(), STORED], ['found']);
    expect(await run()).toMatchObject({ stored: STORED });
    expect(order).toEqual(['commit', 'list', 'look', 'commit']);
    expect(conditions).toEqual(['absent', { etag: 'found' }]);
  });

  it('expects none where the target was deleted meanwhile', async () => {
    const { run, conditions } = committing([CHANGED(), STORED], [null]);
    await run({ etag: 'recorded' });
    expect(conditions).toEqual([{ etag: 'recorded' }, 'absent']);
  });

  it.each([
    ['superseded', '06'],
    ['encrypted already', '05'],
  ])('gives up as %s where source %s was recorded meanwhile', async (reason, sequencer) => {
    const { run, conditions } = committing([CHANGED(), STORED], ['found'], [{ ...NOBODY, newest: recordOf(sequencer) }]);
    expect(await run()).toEqual({ action: 'skip', reason });
    expect(conditions).toHaveLength(1);
  });

  it('waits where a newer source was claimed meanwhile', async () => {
    const { run, conditions } = committing([CHANGED(), STORED], ['found'], [{ ...NOBODY, newer: claimOf('06') }]);
    await expect(run()).rejects.toMatchObject({ code: 'newer-under-way', retryable: true });
    expect(conditions).toHaveLength(1);
  });

  it('replaces what an older source or a stranger wrote', async () => {
    const { run, conditions } = committing([CHANGED(), STORED], ['found'], [{ ...NOBODY, newest: recordOf('04') }]);
    expect(await run()).toMatchObject({ stored: STORED });
    expect(conditions.at(-1)).toEqual({ etag: 'found' });
  });

  it('looks again in each round', async () => {
    const { run, order, conditions } = committing(
      [CHANGED(), CHANGED(), STORED],
      ['a', 'b'],
      [NOBODY, { ...NOBODY, newest: recordOf('06') }],
    );
    expect(await run()).toEqual({ action: 'skip', reason: 'superseded' });
    expect(order).toEqual(['commit', 'list', 'look', 'commit', 'list', 'look']);
    expect(conditions).toEqual(['absent', { etag: 'a' }]);
  });

  it('that loses five rounds wins the sixth', async () => {
    const { run } = committing([...Array.from({ length: 5 }, CHANGED), STORED], ['a', 'b', 'c', 'd', 'e']);
    expect(await run()).toMatchObject({ stored: STORED });
  });

  it('that loses six rounds is a conflict, which is retried', async () => {
    const { run, conditions } = committing([...Array.from({ length: 6 }, CHANGED), STORED]);
    await expect(run()).rejects.toMatchObject({ code: 'conflict', retryable: true, object: { key: REF.key } });
    expect(conditions).toHaveLength(6);
  });

  it('does not go on after any other failure', async () => {
    const { run, order } = committing([new SealdropError('answer-mismatch', 'x'), STORED]);
    await expect(run()).rejects.toMatchObject({ code: 'answer-mismatch' });
    expect(order).toEqual(['commit']);
  });

  it('commits nothing where the target cannot be looked at', async () => {
    const { run, s3, conditions } = committing([CHANGED(), STORED]);
    s3.on(ListObjectsV2Command).rejects(s3Error('AccessDenied', 403));
    await expect(run()).rejects.toMatchObject({ code: 'target-denied' });
    expect(conditions).toHaveLength(1);
  });

  it('dates the copy by when its own commit began, so that two copies of one source stand in order', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-20T10:00:00.000Z'), toFake: ['Date'] });
    const { run } = committing([CHANGED(), STORED], ['found']);
    const running = run();
    vi.setSystemTime(Date.parse('2026-11-20T10:00:01.000Z'));
    expect(await running).toMatchObject({ at: '2026-11-20T10:00:01.000Z' });
    vi.useRealTimers();
  });
});
