import { describe, expect, it } from 'vitest';
import type { KeyState, ObjectRecord } from '../src/audit/object-record.ts';
import { standingOf } from '../src/source-order.ts';
import { objectRef } from './fixtures/objects.ts';

const REF = objectRef({ sequencer: '0A' });
const recorded = (sequencer: string, source = {}) =>
  ({ source: { etag: REF.etag, versionId: REF.versionId, sequencer, ...source } }) as ObjectRecord;
const claimed = (sequencer: string) => ({
  bucket: 'b',
  key: 'k',
  sourceBucket: 's',
  sequencer,
  id: 'x',
  claimedAt: '2026-11-20T10:00:00.000Z',
});
const state = (changes: Partial<KeyState>): KeyState => ({ newest: null, uploads: [], newer: null, newerUploads: [], ...changes });

describe('standingOf', () => {
  it.each([
    ['nobody was there', {}],
    ['an older source is recorded', { newest: recorded('9') }],
  ])('copies where %s', (_what, changes) => {
    expect(standingOf(REF, state(changes))).toEqual({ action: 'copy' });
  });

  it('skips a source that is recorded, however its sequencer is written', () => {
    expect(standingOf(REF, state({ newest: recorded('000a') }))).toEqual({ action: 'skip', reason: 'encrypted already' });
  });

  it.each([{ etag: 'other' }, { versionId: 'other' }])('takes no other state for it that has the same sequencer: %j', (source) => {
    expect(standingOf(REF, state({ newest: recorded('0A', source) }))).toEqual({ action: 'copy' });
  });

  it('skips a source that is older than the newest record', () => {
    expect(standingOf(REF, state({ newest: recorded('0B') }))).toEqual({ action: 'skip', reason: 'superseded' });
  });

  it('prefers a record to a claim: what is recorded is certain', () => {
    expect(standingOf(REF, state({ newest: recorded('0B'), newer: claimed('0C') }))).toEqual({ action: 'skip', reason: 'superseded' });
  });

  it('waits while a newer source is claimed and not recorded', () => {
    const waiting = () => standingOf(REF, state({ newest: recorded('9'), newer: claimed('0B') }));
    expect(waiting).toThrow(expect.objectContaining({ code: 'newer-under-way', retryable: true }));
  });
});
