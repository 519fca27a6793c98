import { describe, expect, test } from 'vitest';
import { nothingLeft } from '../../../cli/redrive/nothing-left.ts';
import { parseIngestEvent } from '../../../src/events/index.ts';
import { bridged, notification } from '../../fixtures/messages.ts';
import { evidenceOf } from './evidence.ts';

const refOf = (event: unknown) => {
  const content = parseIngestEvent(event)[0]?.content;
  const ref = content !== undefined && 'items' in content ? content.items[0] : undefined;
  if (ref === undefined) throw new Error('no object');
  return ref;
};
const ref = refOf(notification({ key: 'a', sequencer: '0B' }));

describe('nothing is left to do', () => {
  test.each<[title: string, known: Parameters<typeof evidenceOf>[0], nothing: boolean]>([
    ['without a record', {}, false],
    ['with an older record', { records: { a: '0A' } }, false],
    ['with its own record', { records: { a: '0B' } }, true],
    ['with its own record, padded otherwise', { records: { a: '000b' } }, true],
    ['with a newer record', { records: { a: '0C' } }, true],
    ['with a newer record of another bucket', { records: { a: '0C' }, bucket: 'other' }, false],
    ['with its record, while its source is to be deleted', { records: { a: '0B' }, source: 'delete' }, false],
    ['with its record, once its source is deleted', { records: { a: '0B' }, source: 'delete', deleted: ['0B'] }, true],
    ['with its record, once another source is deleted', { records: { a: '0B' }, source: 'delete', deleted: ['0A'] }, false],
    ['with a deleted source and no record', { source: 'delete', deleted: ['0B'] }, false],
  ])('%s: %j → %s', async (_, known, nothing) => {
    expect(await nothingLeft(ref, evidenceOf(known))).toBe(nothing);
  });

  const ambiguous = refOf(bridged({ key: 'a+b', sequencer: '0B' }));
  test.each<[title: string, records: Record<string, string>, nothing: boolean]>([
    ['its own record under one reading', { 'a+b': '0B' }, true],
    ['its own record under the other', { 'a b': '0B' }, true],
    ['a newer record under one, which may be another object', { 'a+b': '0C' }, false],
    ['a newer record under the other', { 'a b': '0C' }, false],
  ])('for a key that may be read in two ways with %s: %j → %s', async (_, records, nothing) => {
    expect(await nothingLeft(ambiguous, evidenceOf({ records }))).toBe(nothing);
  });
});
