import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readIngestLetter } from '../../../cli/dead-letters/letter.ts';
import type { Followed } from '../../../cli/redrive/follow.ts';
import { isWell, jsonReport, type Redrive, textReport } from '../../../cli/redrive/report.ts';
import type { Settled } from '../../../cli/redrive/send-back.ts';
import { bodyOf } from '../dead-letters/fake-queues.ts';
import { STACK } from '../doctor/world.ts';

const QUIET: Redrive = {
  stack: STACK,
  dryRun: false,
  reading: { seen: 0, waiting: 0, hidden: 0, ended: 'empty' },
  others: 0,
  settled: [],
  followed: [],
  troubles: [],
};

const refsOf = (...keys: string[]) => (keys.length === 0 ? [] : readIngestLetter({ Body: bodyOf({ key: '', keys }) }).refs);
const settled = (fate: Settled['fate'], code: string, ...keys: string[]): Settled => ({
  fate,
  task: { body: '', code, refs: refsOf(...keys), handles: [], newestMs: 0 },
});
const followed = (key: string, fate: Followed['fate'], code = 'quota'): Followed[] => refsOf(key).map((ref) => ({ ref, code, fate }));
const text = (change: Partial<Redrive>) => stripVTControlCharacters(textReport({ ...QUIET, ...change }));
const FAILED: Followed['fate'] = { kind: 'failed', code: 'kms-key-denied', cause: 'why', nextStep: 'Allow it.' };

test('nothing to send back is well', () => {
  expect(text({})).toContain('There was nothing to send back.');
  expect(isWell(QUIET)).toBe(true);
});

test('objects are counted by the code that they had failed with, each in the column of what became of it', () => {
  const said = text({
    settled: [
      settled('sent', 'quota', 'a', 'b'),
      settled('sent', 'quota', 'c'),
      settled('superseded', 'unknown', 'd'),
      settled('refused', 'unknown', 'e'),
      settled('sent', 'malformed-event'),
    ],
    followed: [...followed('a', { kind: 'encrypted' }), ...followed('b', FAILED), ...followed('c', { kind: 'under way' })],
  });
  const rows = said.split('\n').filter((line) => /^(code|quota|unknown|malformed)/.test(line));
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ['code', 'sent back', 'encrypted', 'failed again', 'under way', 'not followed', 'superseded, dropped', 'not sent'],
    ['malformed-event', '1', '0', '0', '0', '1', '0', '0'],
    ['quota', '3', '1', '1', '1', '0', '0', '0'],
    ['unknown', '0', '0', '0', '0', '0', '1', '1'],
  ]);
  for (const part of ['failed again for kms-key-denied: b', 'why', '→ Allow it.', 'Still under way: c']) expect(said).toContain(part);
});

test('long lists are cut, in text alone', () => {
  const many = Array.from({ length: 12 }, (_, index) => followed(`k${index}`, { kind: 'under way' })).flat();
  expect(text({ settled: [settled('sent', 'quota', 'k0')], followed: many })).toContain('k9 and 2 more');
  expect(JSON.parse(jsonReport({ ...QUIET, followed: many })).underWay).toHaveLength(12);
});

describe('it is not well', () => {
  test.each<[title: string, change: Partial<Redrive>]>([
    ['when one failed again', { followed: followed('a', FAILED) }],
    ['when one is under way', { followed: followed('a', { kind: 'under way' }) }],
    ['when one was not taken', { settled: [settled('refused', 'quota', 'a')] }],
    ['when it ended before one was sent', { settled: [settled('untouched', 'quota', 'a')] }],
    ['when it could not look to the end', { troubles: [new Error('trouble')] }],
    ['when not all was seen', { reading: { seen: 1, waiting: 9, hidden: 0, ended: 'limit' } }],
  ])('%s', (_, change) => {
    expect(JSON.parse(jsonReport({ ...QUIET, ...change }))).toMatchObject({ ok: false });
  });
});

test('a dry run says that it would', () => {
  const said = text({ dryRun: true, settled: [settled('sent', 'quota', 'a'), settled('superseded', 'quota', 'b')] });
  expect(said).toContain('would be sent back');
  expect(said).toContain('would be dropped');
});
