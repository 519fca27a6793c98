import { describe, expect, it } from 'vitest';
import { isWanted } from '../../../cli/redrive/collect.ts';
import { objectRef } from '../../fixtures/objects.ts';

type Letter = Parameters<typeof isWanted>[0];
const letter = (code: string, refs = [objectRef()]) => ({ code, refs, shortened: false }) as Letter;
const all = { codes: [], keyPrefix: '' };

describe('isWanted', () => {
  it('takes every cause that is not named, but for those that somebody must look at', () => {
    expect(isWanted(letter('kms-key-disabled'), all)).toBe(true);
    expect(isWanted(letter('answer-mismatch'), all)).toBe(false);
    expect(isWanted(letter('malformed-event', []), all)).toBe(false);
  });

  it.each(['answer-mismatch', 'kms-key-disabled'])('takes %s where it is named', (code) => {
    expect(isWanted(letter(code), { ...all, codes: [code] })).toBe(true);
    expect(isWanted(letter(code), { ...all, codes: ['other'] })).toBe(false);
  });

  it('takes keys that begin as asked', () => {
    expect(isWanted(letter('throttled'), { ...all, keyPrefix: 'reports/' })).toBe(true);
    expect(isWanted(letter('throttled'), { ...all, keyPrefix: 'cards/' })).toBe(false);
  });
});
