import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentRange, parseContentRange, parseRange, rangeHeader } from '../../src/http/range.ts';

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=0-499', { first: 0, last: 499 }],
    ['bytes=500-', { first: 500, last: null }],
    ['bytes=-500', { suffix: 500 }],
    ['bytes=-0', { suffix: 0 }],
    ['BYTES=1-2', { first: 1, last: 2 }],
    ['bytes= 1-2 ', { first: 1, last: 2 }],
    ['bytes=007-9', { first: 7, last: 9 }],
    [`bytes=${'9'.repeat(400)}-`, { first: Number.MAX_SAFE_INTEGER, last: null }],
  ])('reads %s', (header, expected) => {
    expect(parseRange(header)).toEqual(expected);
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=2-1',
    'bytes=-1-2',
    'bytes=--1',
    'bytes=1-2-3',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=1-2,4-5',
    'bytes=0-0, 0-0',
    'bytes=1-2\n',
    'items=0-5',
    '0-5',
    `bytes=${Array.from({ length: 5000 }, (_, at) => `${at}-${at}`).join(',')}`,
  ])('takes %j for the whole object', (header) => {
    expect(parseRange(header)).toBeNull();
  });

  it('says a range again as it was understood', () => {
    const range = fc.oneof(
      fc.record({ suffix: fc.maxSafeNat() }),
      fc.tuple(fc.maxSafeNat(), fc.option(fc.maxSafeNat())).map(([a, b]) => ({
        first: b === null ? a : Math.min(a, b),
        last: b === null ? null : Math.max(a, b),
      })),
    );
    fc.assert(fc.property(range, (spec) => void expect(parseRange(rangeHeader(spec))).toEqual(spec)));
  });
});

describe('Content-Range', () => {
  it('says which bytes of how many', () => {
    expect(contentRange({ first: 0, last: 4 }, 10)).toBe('bytes 0-4/10');
    expect(contentRange(null, 10)).toBe('bytes */10');
    expect(parseContentRange('bytes 0-4/10')).toEqual({ range: { first: 0, last: 4 }, size: 10 });
  });

  it.each([undefined, '', 'bytes */10', 'bytes 0-4/*', 'bytes 0-4', 'items 0-4/10'])('of %j is none', (header) => {
    expect(parseContentRange(header)).toBeNull();
  });
});
