import { expect, test } from 'vitest';
import { readArguments, sandboxUrl, USAGE } from '../../../cli/token/arguments.ts';

test('is for an hour, in no group, and for what the stack expects', () => {
  expect(readArguments(['--sub', 'alice'])).toEqual({
    help: false,
    json: false,
    sub: 'alice',
    groups: [],
    ttlSeconds: 3600,
    audience: null,
    region: undefined,
  });
  expect(readArguments(['--sub', 'a', '--groups', 'x, y', '--ttl-minutes', '720'])).toMatchObject({
    groups: ['x', 'y'],
    ttlSeconds: 43_200,
  });
});

test.each([
  [[], '--sub: for whom?'],
  [['--sub', 'a', '--groups', 'x,,y'], '--groups x,,y: names with commas'],
  [['--sub', 'a', '--ttl-minutes', '721'], '--ttl-minutes 721: whole minutes, 1 to 720'],
  [['--sub', 'a', '--ttl-minutes', '0'], '--ttl-minutes 0'],
  [['--sub', 'a', '--ttl-minutes', '1.5'], '--ttl-minutes 1.5'],
  [['alice'], "Unexpected argument 'alice'"],
])('%j is refused: %s', (args, said) => {
  expect(() => readArguments(args)).toThrow(said);
});

test('--help needs no subject, and names every option', () => {
  expect(readArguments(['--help']).help).toBe(true);
  for (const option of ['sub', 'groups', 'ttl-minutes', 'audience', 'region']) expect(USAGE).toContain(`--${option}`);
});

test.each([
  [undefined, false],
  ['', false],
  ['nonsense', false],
  ['https://sts.amazonaws.com', false],
  ['http://127.0.0.1.example.com:4566', false],
  ['http://127.0.0.1:4566', true],
  ['http://localhost:4566', true],
])('AWS_ENDPOINT_URL=%s may be a sandbox: %s', (AWS_ENDPOINT_URL, may) => {
  const url = () => sandboxUrl({ AWS_ENDPOINT_URL });
  if (may) expect(url().href).toContain('4566');
  else expect(url).toThrow('tokens come from your own issuer');
});
