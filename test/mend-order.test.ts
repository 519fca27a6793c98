import { setTimeout as delay } from 'node:timers/promises';
import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyState } from '../src/audit/object-record.ts';
import { type EncryptRequest, newStep } from '../src/encryption-step.ts';
import { SealdropError } from '../src/errors.ts';
import { mend, refOf, wasOvertaken } from '../src/mend-order.ts';
import { headError, s3Error } from './fixtures/aws.ts';
import { claimOf, encryptWorld, recordOf } from './fixtures/encrypt-world.ts';
import { objectRef } from './fixtures/objects.ts';

// It pauses between its looks.
vi.mock(import('node:timers/promises'), async (load) => ({ ...(await load()), setTimeout: vi.fn(async () => undefined) as never }));

const REF = objectRef({ sequencer: '05' });
const NOBODY: KeyState = { newest: null, uploads: [], newer: null, newerUploads: [] };
const of = (sequencer: string): KeyState => ({ ...NOBODY, newest: recordOf(sequencer) });

/** What S3 says of a copy that is equal to a recorded one. */
const EQUAL: Partial<HeadObjectCommandOutput> = {
  ContentLength: 12,
  ChecksumCRC64NVME: 'ODg4ODg4ODg=',
  ChecksumType: 'FULL_OBJECT',
  ServerSideEncryption: 'AES256',
  VersionId: 'v9',
};

/**
 * @param etag of the target's current object; `null`: there is none
 * @param states what the records say, look after look; the last one again and again
 */
function mending(etag: string | null, states: KeyState[], changes: Partial<EncryptRequest> = {}) {
  const world = encryptWorld();
  const request = { ref: REF, delivery: 2, lastTry: false, ...changes };
  let looks = 0;
  const look = async () => {
    looks += 1;
    return states[Math.min(looks, states.length) - 1] ?? NOBODY;
  };
  const deps = { ...world.deps, records: { ...world.deps.records, look } };
  const step = { ...newStep(request, deps), state: states[0] ?? NOBODY };
  world.s3.on(ListObjectsV2Command).resolves({ Contents: etag === null ? [] : [{ Key: REF.key, ETag: `"${etag}"` }] });
  // Nothing that could be one of ours, unless a test says so.
  world.s3.on(HeadObjectCommand).rejects(headError(412));
  return { world, deps, step, looked: () => looks };
}

describe('a message that comes for the first time', () => {
  it.each(['encrypted already', 'superseded'] as const)('asks nothing of the target where its object is %s', async (reason) => {
    const { world, deps, step } = mending('other', [of('06')], { delivery: 1 });
    expect(await mend(step, reason, deps)).toBeNull();
    expect(world.s3.calls()).toEqual([]);
  });

  it('looks at the target where the function sent it itself: what it continues may have come again', async () => {
    const { deps, step } = mending('other', [of('06')], { delivery: 1, ref: { ...REF, continued: true } });
    expect(await mend(step, 'superseded', deps)).toEqual(refOf(recordOf('06')));
  });
});

describe('a message that comes again, whose object is superseded', () => {
  it('gives the newer source where its copy is displaced, as its own event named it', async () => {
    const { source } = recordOf('06');
    const newest = recordOf('06', { size: 99, source: { ...source, requester: 'AWS:AROAEXAMPLE:uploader' } });
    const { deps, step } = mending('other', [{ ...NOBODY, newest }]);
    expect(await mend(step, 'superseded', deps)).toEqual(objectRef({ sequencer: '06', size: 99, requester: 'AWS:AROAEXAMPLE:uploader' }));
    expect([step.record, step.target]).toEqual([null, null]);
  });

  it.each([
    ['is in its place', 'etag-of-06'],
    ['was deleted', null],
  ])('gives none where the newer copy %s', async (_what, etag) => {
    const { world, deps, step } = mending(etag, [of('06')]);
    world.s3.on(HeadObjectCommand).resolves({ VersionId: 'version-of-06' });
    expect(await mend(step, 'superseded', deps)).toBeNull();
  });
});

describe('a message that comes again, whose object is encrypted already', () => {
  it('records the equal copy that stands in the target, and copies nothing', async () => {
    const { world, deps, step, looked } = mending('unrecorded', [of('05')]);
    world.s3.on(HeadObjectCommand).resolves(EQUAL);
    expect(await mend(step, 'encrypted already', deps)).toBeNull();
    expect(step.record).toMatchObject({ etag: 'unrecorded', versionId: 'v9' });
    expect([step.target, looked()]).toEqual([null, 0]);
  });

  it('is to replace what stands in its place, once the records were looked at after the target', async () => {
    const { world, deps, step } = mending('other', [of('05')]);
    const order: string[] = [];
    world.s3.on(ListObjectsV2Command).callsFake(async () => {
      order.push('list');
      return { Contents: [{ Key: REF.key, ETag: '"other"' }] };
    });
    const { look } = deps.records;
    deps.records.look = (...args) => {
      order.push('look');
      return look(...args);
    };
    expect(await mend(step, 'encrypted already', deps)).toBeNull();
    expect([step.record, step.target]).toEqual([null, { etag: 'other' }]);
    expect(order.at(-1)).toBe('look');
  });

  it('replaces nothing where a newer one was recorded meanwhile', async () => {
    const { deps, step } = mending('etag-of-06', [of('06')]);
    step.state = of('05');
    expect(await mend(step, 'encrypted already', deps)).toBeNull();
    expect(step.target).toBeNull();
  });
});

describe('what keeps the target from being looked at', () => {
  it.each(['encrypted already', 'superseded'] as const)('brings the message back where its object is %s', async (reason) => {
    const { world, deps, step } = mending('other', [of('05')]);
    world.s3.on(ListObjectsV2Command).rejects(s3Error('SlowDown', 503));
    await expect(mend(step, reason, deps)).rejects.toMatchObject({ code: 'throttled' });
  });

  it.each(['encrypted already', 'superseded'] as const)('is no failure at the last try: its object is %s', async (reason) => {
    for (const error of [s3Error('SlowDown', 503), s3Error('AccessDenied', 403)]) {
      const { world, deps, step } = mending('other', [of('05')], { lastTry: true });
      world.s3.on(ListObjectsV2Command).rejects(error);
      expect(await mend(step, reason, deps)).toBeNull();
      expect([step.record, step.target]).toEqual([null, null]);
    }
  });
});

describe('wasOvertaken', () => {
  beforeEach(() => void vi.mocked(delay).mockClear());

  it.each([
    ['nobody else was there', NOBODY, false],
    ['an older one is recorded', of('04'), false],
    ['only itself is recorded', of('05'), false],
    ['a newer one is recorded', of('06'), true],
    ['a newer one is recorded, and one newer than that claimed', { ...of('06'), newer: claimOf('07') }, true],
  ])('sees at its first look that %s', async (_what, state, overtaken) => {
    const { deps, step, looked } = mending(null, [state]);
    expect(await wasOvertaken(step, deps)).toBe(overtaken);
    expect([step.state, looked()]).toEqual([state, 1]);
    expect(delay).not.toHaveBeenCalled();
  });

  it.each([
    ['is recorded', of('06'), true],
    ['came to nothing', NOBODY, false],
  ])('waits for a newer one that is being copied, until it %s', async (_what, last, overtaken) => {
    const claimed = { ...NOBODY, newer: claimOf('06') };
    const { deps, step, looked } = mending(null, [claimed, claimed, last]);
    expect(await wasOvertaken(step, deps)).toBe(overtaken);
    expect([looked(), vi.mocked(delay).mock.calls]).toEqual([3, [[250], [250]]]);
  });

  it('leaves a newer one that takes longer to another delivery', async () => {
    const { deps, step, looked } = mending(null, [{ ...of('05'), newer: claimOf('06') }]);
    await expect(wasOvertaken(step, deps)).rejects.toMatchObject({ code: 'newer-under-way', retryable: true });
    expect([looked(), vi.mocked(delay).mock.calls.length]).toEqual([8, 7]);
  });

  it('does not know where the records cannot be looked at', async () => {
    const { deps, step } = mending(null, []);
    deps.records.look = () => Promise.reject(new SealdropError('audit-unavailable', 'x'));
    await expect(wasOvertaken(step, deps)).rejects.toMatchObject({ code: 'audit-unavailable' });
  });
});
