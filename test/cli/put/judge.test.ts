import { describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../../cli/put/history.ts';
import { judge, type PutState } from '../../../cli/put/judge.ts';

const T0 = Date.parse('2026-11-30T12:00:00.000Z');
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
const encryption = { mode: 'sse-c', customerKeyVersion: 'k1' };

const encrypted = (sourceVersionId: string | undefined, seconds: number, size = 7): HistoryEvent => ({
  action: 'ObjectEncrypted',
  at: at(seconds),
  size,
  encryption,
  ...(sourceVersionId === undefined ? {} : { sourceVersionId }),
});
const failed = (sourceVersionId: string, seconds: number, code = 'kms-key-disabled'): HistoryEvent => ({
  ...encrypted(sourceVersionId, seconds),
  action: 'EncryptionFailed',
  code,
});
const read = (seconds: number): HistoryEvent => ({ action: 'ObjectDownloaded', at: at(seconds), encryption });

/** Put within the second after T0. */
const MINE: PutState = { versionId: 'mine', bytes: 7, begunAt: T0, doneAt: T0 + 1000 };
const UNVERSIONED: PutState = { ...MINE, versionId: null };

describe('a version', () => {
  test.each<[title: string, events: HistoryEvent[], fate: object]>([
    ['without events is under way', [], { kind: 'under way' }],
    ['that others read is under way', [read(1)], { kind: 'under way' }],
    ['is encrypted where the history says so of it', [encrypted('mine', 0)], { kind: 'encrypted', encryption }],
    ['is encrypted though a newer one is, too', [encrypted('mine', 0), encrypted('newer', 9)], { kind: 'encrypted' }],
    ['is encrypted though it failed before', [failed('mine', 0), encrypted('mine', 0)], { kind: 'encrypted' }],
    ['failed where the history says so of it', [failed('mine', 0)], { kind: 'failed', code: 'kms-key-disabled' }],
    ['failed for its last cause', [failed('mine', 0), failed('mine', 1, 'quota')], { kind: 'failed', code: 'quota' }],
    ['is under way where another one failed', [failed('other', 9)], { kind: 'under way' }],
    ['is under way after an older one', [encrypted('older', -60)], { kind: 'under way' }],
    ['is superseded by one that came surely later', [encrypted('newer', 3.1)], { kind: 'superseded' }],
    ['may be superseded by one of the same moment', [encrypted('same', 0.5)], { kind: 'perhaps superseded', by: 'same' }],
    ['may be superseded by one a clock apart', [encrypted('same', 2.9)], { kind: 'perhaps superseded', by: 'same' }],
  ])('%s', (_, events, fate) => {
    expect(judge(events, MINE)).toMatchObject(fate);
  });
});

describe('a state of a bucket without versions', () => {
  test.each<[title: string, events: HistoryEvent[], kind: string]>([
    ['is what was encrypted since, of this length', [encrypted(undefined, 0.5)], 'encrypted'],
    ['is not what was encrypted before', [encrypted(undefined, -3)], 'under way'],
    ['is not what has another length, at the same moment', [encrypted(undefined, 0.5, 8)], 'under way'],
    ['is superseded by another length later', [encrypted(undefined, 4, 8)], 'superseded'],
  ])('%s', (_, events, kind) => {
    expect(judge(events, UNVERSIONED).kind).toBe(kind);
  });
});
