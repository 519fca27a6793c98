import { describe, expect, test } from 'vitest';
import { readArguments } from '../../../cli/doctor/arguments.ts';

describe('the arguments of doctor', () => {
  test('have defaults', () => {
    expect(readArguments([], {})).toEqual({
      help: false,
      stackName: 'sealdrop-dev',
      policyPath: 'policy.yml',
      region: undefined,
      json: false,
      roundTrip: true,
      timeoutMs: 60_000,
    });
  });

  test('take the stack from the environment, unless a stage is said', () => {
    expect(readArguments([], { SEALDROP_STACK: 'sealdrop-test' }).stackName).toBe('sealdrop-test');
    expect(readArguments(['--stage', 'prod'], { SEALDROP_STACK: 'sealdrop-test' }).stackName).toBe('sealdrop-prod');
  });

  test('are read', () => {
    const given = ['--policy', 'p.yml', '--region', 'eu-west-1', '--json', '--no-round-trip', '--timeout', '5'];
    expect(readArguments(given, {})).toMatchObject({
      policyPath: 'p.yml',
      region: 'eu-west-1',
      json: true,
      roundTrip: false,
      timeoutMs: 5000,
    });
  });

  test.each([
    [['--nope'], '--nope'],
    [['now'], 'now'],
    [['--stage'], '--stage'],
    [['--stage', 'A'], '--stage A'],
    [['--stage', 'x; rm'], '--stage x; rm'],
    [['--timeout', '0'], '--timeout 0'],
    [['--timeout', '3601'], '--timeout 3601'],
    [['--timeout', '1.5'], '--timeout 1.5'],
  ])('%j are refused by name', (args, named) => {
    expect(() => readArguments(args, {})).toThrow(named);
  });

  test.each([1, 3600])('a time of %i s is taken', (seconds) => {
    expect(readArguments(['--timeout', String(seconds)], {}).timeoutMs).toBe(seconds * 1000);
  });
});
