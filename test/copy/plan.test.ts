import { describe, expect, it } from 'vitest';
import { planCopy } from '../../src/copy/plan.ts';
import { objectRef } from '../fixtures/objects.ts';

/** 5 GB as S3's own refusal writes it: 5368709120. */
const LIMIT = 5_368_709_120;

describe('planCopy', () => {
  it.each([0, 1, LIMIT - 1, LIMIT])('moves %d bytes with one call', (size) => {
    expect(planCopy(objectRef({ size }))).toEqual({ action: 'copy-object' });
  });

  it('refuses one byte more, for good, and says how much it was', () => {
    expect(() => planCopy(objectRef({ size: LIMIT + 1 }))).toThrow(
      expect.objectContaining({ code: 'too-large', retryable: false, message: expect.stringContaining(String(LIMIT + 1)) }),
    );
  });

  it('takes a lower limit', () => {
    expect(() => planCopy(objectRef({ size: 11 }), { maxCopyBytes: 10 })).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});
