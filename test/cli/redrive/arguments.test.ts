import { describe, expect, test } from 'vitest';
import { readArguments } from '../../../cli/redrive/arguments.ts';

describe('the arguments of redrive', () => {
  test('have defaults', () => {
    expect(readArguments([], {})).toEqual({
      help: false,
      stackName: 'sealdrop-dev',
      region: undefined,
      json: false,
      codes: [],
      keyPrefix: '',
      dryRun: false,
      timeoutMs: 900_000,
    });
  });

  test('are read', () => {
    const given = ['--code', 'quota', '--code', 'unknown', '--key', 'a/', '--dry-run', '--timeout', '43200', '--json', '--stack', 's'];
    expect(readArguments(given, {})).toMatchObject({
      stackName: 's',
      json: true,
      codes: ['quota', 'unknown'],
      keyPrefix: 'a/',
      dryRun: true,
      timeoutMs: 43_200_000,
    });
  });

  test.each([
    [['--code', 'Not a code'], '--code Not a code'],
    [['--code', ''], '--code'],
    [['--timeout', '0'], '--timeout 0'],
    [['--timeout', '43201'], '--timeout 43201'],
    [['--timeout', ''], '--timeout'],
    [['all'], 'all'],
  ])('%j are refused by name', (args, named) => {
    expect(() => readArguments(args, {})).toThrow(named);
  });
});
