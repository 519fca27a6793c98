import { describe, expect, it } from 'vitest';
import { positiveInteger, readConfig } from '../src/config.ts';

describe('readConfig', () => {
  it('gives what was asked for and nothing else', () => {
    expect(readConfig({ A: '1', B: '2', C: '3' }, ['A', 'C'])).toEqual({ A: '1', C: '3' });
  });

  it('names every variable that is missing or empty, at once', () => {
    expect(() => readConfig({ A: '1', B: '' }, ['A', 'B', 'C', 'D'])).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: 'missing or empty in the environment: B, C, D' }),
    );
  });
});

describe('positiveInteger', () => {
  it.each([
    ['1', 1],
    ['5', 5],
    ['999999999', 999_999_999],
  ])('reads %s', (text, value) => {
    expect(positiveInteger('N', text)).toBe(value);
  });

  it.each(['0', '-1', '1.5', '1e3', '', ' 1', '05', 'five', '1000000000000000'])('refuses "%s" and shows it', (text) => {
    expect(() => positiveInteger('N', text)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(`N is "${text}"`) }),
    );
  });
});
