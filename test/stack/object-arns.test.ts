import { describe, expect, it } from 'vitest';
import { exactly, including } from '../../stack/object-arns.ts';

const BUCKET = 'arn:aws:s3:::b';

describe('exactly', () => {
  it('is prefix, anything with up to three colons, suffix, and the keys in which the two overlap', () => {
    expect(exactly(BUCKET, { prefix: 'a/', suffix: '' })).toEqual(['arn:aws:s3:::b/a/*']);
    expect(exactly(BUCKET, { prefix: 'a.p', suffix: '.pdf' })).toEqual([
      'arn:aws:s3:::b/a.p*.pdf',
      'arn:aws:s3:::b/a.p*:*.pdf',
      'arn:aws:s3:::b/a.p*:*:*.pdf',
      'arn:aws:s3:::b/a.p*:*:*:*.pdf',
      'arn:aws:s3:::b/a.pdf',
    ]);
  });

  it('is nothing for keys that a policy may not be able to say', () => {
    expect(exactly(BUCKET, { prefix: 'é/', suffix: '' })).toEqual([]);
    expect(exactly(BUCKET, { prefix: 'a/', suffix: '\\' })).toEqual([]);
  });

  it('writes out the characters that mean something, past Fn::Sub', () => {
    expect(exactly(BUCKET, { prefix: '$*?', suffix: '' })).toEqual([{ 'Fn::Sub': `arn:aws:s3:::b/\${!$}\${!*}\${!?}*` }]);
  });
});

describe('including', () => {
  it('writes out up to three colons between prefix and suffix', () => {
    expect(including(BUCKET, { prefix: 'a/', suffix: '.txt' })).toEqual([
      'arn:aws:s3:::b/a/*.txt',
      'arn:aws:s3:::b/a/*:*.txt',
      'arn:aws:s3:::b/a/*:*:*.txt',
      'arn:aws:s3:::b/a/*:*:*:*.txt',
    ]);
    expect(including(BUCKET, { prefix: 'a/', suffix: '' })).toEqual(['arn:aws:s3:::b/a/*']);
  });

  it('takes in more where keys cannot be said', () => {
    expect(including(BUCKET, { prefix: 'a/é/', suffix: '.txt' })).toEqual(['arn:aws:s3:::b/a/*']);
    expect(including(BUCKET, { prefix: 'a/', suffix: 'é' })).toEqual(['arn:aws:s3:::b/a/*']);
    expect(including(BUCKET, { prefix: '', suffix: 'é' })).toEqual(['arn:aws:s3:::b/*']);
  });
});
