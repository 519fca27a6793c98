import { describe, expect, it } from 'vitest';
import { compareSequencers } from '../../src/events/index.ts';
import { checkKey, decodeFormKey, moment, unquoted } from '../../src/events/object-ref.ts';

describe('compareSequencers', () => {
  /** In the order of their events. */
  const ORDERED = ['1', '00F', '10', '0055AED6DCD90281E4', '0055AED6DCD90281E5', '01000000000000000000'];

  it('orders sequencers of any length as numbers', () => {
    for (const [i, a] of ORDERED.entries()) {
      for (const [j, b] of ORDERED.entries()) expect(Math.sign(compareSequencers(a, b))).toBe(Math.sign(i - j));
    }
  });

  it.each([
    ['0a', 'A'],
    ['ff', '00FF'],
    ['', '0'],
  ])('takes %s and %s for equal', (a, b) => {
    expect(compareSequencers(a, b)).toBe(0);
  });
});

describe('decodeFormKey', () => {
  it.each([
    ['a+b', 'a b'],
    ['a%2Bb', 'a+b'],
    ['a%20b', 'a b'],
    ['%2525', '%25'],
    ['%E6%97%A5', '日'],
  ])('reads %s as %s, once', (encoded, key) => {
    expect(decodeFormKey(encoded)).toBe(key);
  });

  it.each(['%', '%4', '%zz', '%ff', '%E6%97'])('gives null for the broken %s', (encoded) => {
    expect(decodeFormKey(encoded)).toBeNull();
  });
});

describe('checkKey', () => {
  it.each([1, 1023, 1024])('takes a key of %d bytes', (bytes) => {
    expect(() => checkKey('k'.repeat(bytes))).not.toThrow();
  });

  it('counts bytes, not characters', () => {
    expect(() => checkKey('é'.repeat(513))).toThrow(/1026 bytes/);
  });

  it('refuses a key that no URL can carry', () => {
    expect(() => checkKey('a\ud800')).toThrow(expect.objectContaining({ code: 'malformed-event' }));
  });
});

describe('moment', () => {
  it.each([
    ['2026-11-20T09:30:15Z', '2026-11-20T09:30:15.000Z'],
    ['2026-11-20T09:30:15.123Z', '2026-11-20T09:30:15.123Z'],
  ])('writes %s with milliseconds, so that moments sort as text', (time, written) => {
    expect(moment(time)).toBe(written);
  });
});

describe('unquoted', () => {
  it.each([
    ['"abc"', 'abc'],
    ['abc', 'abc'],
    ['"abc-2"', 'abc-2'],
  ])('reads %s as %s', (etag, bare) => {
    expect(unquoted(etag)).toBe(bare);
  });
});
