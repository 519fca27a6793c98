import { describe, expect, it } from 'vitest';
import { type Conditions, judgeConditions, rangeHolds, type Verdict } from '../../src/http/conditions.ts';

const OBJECT = { etag: '"abc"', lastModified: new Date('2026-11-20T09:30:16.700Z') };
const BEFORE = 'Fri, 20 Nov 2026 09:30:15 GMT';
const THEN = 'Fri, 20 Nov 2026 09:30:16 GMT';
const AFTER = 'Fri, 20 Nov 2026 09:30:17 GMT';

describe('judgeConditions', () => {
  /** The order of RFC 9110, 13.2.2: a tag speaks before a date, and what must hold before what must not. */
  const CASES: [string, Conditions, Verdict][] = [
    ['nothing', {}, 'proceed'],
    ['If-Match: its tag', { ifMatch: '"abc"' }, 'proceed'],
    ['If-Match: one of several', { ifMatch: '"x", "abc" , "y"' }, 'proceed'],
    ['If-Match: a tag with a comma', { ifMatch: '"a,b", "abc"' }, 'proceed'],
    ['If-Match: any', { ifMatch: '*' }, 'proceed'],
    ['If-Match: another tag', { ifMatch: '"x"' }, 'precondition-failed'],
    ['If-Match: its tag, weak', { ifMatch: 'W/"abc"' }, 'precondition-failed'],
    ['If-Match: its tag without quotes', { ifMatch: 'abc' }, 'precondition-failed'],
    ['If-Match: nothing', { ifMatch: '' }, 'precondition-failed'],
    ['If-Unmodified-Since: before', { ifUnmodifiedSince: BEFORE }, 'precondition-failed'],
    ['If-Unmodified-Since: then', { ifUnmodifiedSince: THEN }, 'proceed'],
    ['If-Unmodified-Since: no date', { ifUnmodifiedSince: '2026-11-20T09:30:15Z' }, 'proceed'],
    ['If-Match before If-Unmodified-Since', { ifMatch: '"abc"', ifUnmodifiedSince: BEFORE }, 'proceed'],
    ['If-None-Match: its tag', { ifNoneMatch: '"abc"' }, 'not-modified'],
    ['If-None-Match: its tag, weak', { ifNoneMatch: 'W/"abc"' }, 'not-modified'],
    ['If-None-Match: one of several', { ifNoneMatch: '"x","abc"' }, 'not-modified'],
    ['If-None-Match: any', { ifNoneMatch: '*' }, 'not-modified'],
    ['If-None-Match: another tag', { ifNoneMatch: '"x"' }, 'proceed'],
    ['If-Modified-Since: before', { ifModifiedSince: BEFORE }, 'proceed'],
    ['If-Modified-Since: then', { ifModifiedSince: THEN }, 'not-modified'],
    ['If-Modified-Since: after', { ifModifiedSince: AFTER }, 'not-modified'],
    ['If-Modified-Since: no date', { ifModifiedSince: 'yesterday' }, 'proceed'],
    ['If-Modified-Since: as of 1994', { ifModifiedSince: 'Friday, 20-Nov-26 09:30:16 GMT' }, 'not-modified'],
    ['If-Modified-Since: as C writes it', { ifModifiedSince: 'Fri Nov 20 09:30:16 2026' }, 'not-modified'],
    ['If-None-Match before If-Modified-Since', { ifNoneMatch: '"x"', ifModifiedSince: AFTER }, 'proceed'],
    ['If-Match before If-None-Match', { ifMatch: '"x"', ifNoneMatch: '"abc"' }, 'precondition-failed'],
    ['If-Match and then If-None-Match', { ifMatch: '"abc"', ifNoneMatch: '"abc"' }, 'not-modified'],
  ];
  it.each(CASES)('%s', (_what, conditions, verdict) => {
    expect(judgeConditions(conditions, OBJECT)).toBe(verdict);
  });

  it('takes dates of an object that has none for absent, and its missing tag for no tag', () => {
    expect(judgeConditions({ ifModifiedSince: THEN, ifUnmodifiedSince: BEFORE }, {})).toBe('proceed');
    expect(judgeConditions({ ifMatch: '"abc"' }, {})).toBe('precondition-failed');
  });
});

describe('rangeHolds', () => {
  it.each([
    [undefined, true],
    ['"abc"', true],
    ['W/"abc"', false],
    ['"x"', false],
    [THEN, false],
    ['no date', false],
    ['', false],
  ])('If-Range: %j → %j', (header, holds) => {
    expect(rangeHolds(header, OBJECT)).toBe(holds);
  });
});
