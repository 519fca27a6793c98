import { expect, test } from 'vitest';
import { readArguments, USAGE } from '../../../cli/get/arguments.ts';

const ENV = { SEALDROP_API_URL: 'https://api.example.com/prod' };

test('asks for the key, named by it, in eight parts of 5 MiB at once', () => {
  expect(readArguments(['cards/a.pdf'], ENV)).toMatchObject({
    key: 'cards/a.pdf',
    file: null,
    force: false,
    versionId: null,
    parallel: 8,
    partBytes: 5 * 1024 * 1024,
    apiUrl: new URL('https://api.example.com/prod'),
  });
});

test('--api goes before the environment', () => {
  expect(readArguments(['k', '--api', 'http://localhost:3000'], ENV).apiUrl?.href).toBe('http://localhost:3000/');
  expect(readArguments(['k'], {}).apiUrl).toBeNull();
});

test.each([
  [[], 'KEY: which object?'],
  [['a', 'b', 'c'], 'c: one KEY and one FILE'],
  [['../a'], 'KEY: the key climbs out'],
  [['a', '-', '--json'], '--json: standard output takes either'],
  [['a', '--parallel', '0'], '--parallel 0: a whole number, 1 to 64'],
  [['a', '--part-mib', '191'], '--part-mib 191: a whole number, 1 to 190'],
  [['a', '--part-mib', '5.5'], '--part-mib 5.5'],
  [['a', '--api', 'ftp://x'], '--api ftp://x: an https:// URL'],
  [['a', '--api', 'http://api.example.com'], 'the token would travel in the clear'],
  [['a', '--api', 'https://me:secret@api.example.com'], 'without a user and a password'],
  [['a', '--token', 'x'], "Unknown option '--token'"],
])('%j is refused: %s', (args, said) => {
  expect(() => readArguments(args, {})).toThrow(said);
});

test('--help needs no key, and names every option', () => {
  expect(readArguments(['--help'], {}).help).toBe(true);
  for (const option of ['force', 'version-id', 'parallel', 'part-mib', 'api', 'token-file', 'stage', 'region', 'json']) {
    expect(USAGE).toContain(`--${option}`);
  }
});
