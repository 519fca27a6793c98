import { expect, test } from 'vitest';
import { readArguments, USAGE } from '../../../cli/put/arguments.ts';

const MIB = 1024 * 1024;

test.each([
  [['a/b.pdf'], 'b.pdf'],
  [['a/b.pdf', 'cards/'], 'cards/b.pdf'],
  [['a/b.pdf', 'cards/c.pdf'], 'cards/c.pdf'],
  [['-', 'cards/c.pdf'], 'cards/c.pdf'],
])('%j goes to %s', (args, key) => {
  expect(readArguments(args, {})).toMatchObject({ key, wait: true, timeoutMs: 120_000, partBytes: 16 * MIB });
});

test('metadata and tags are pairs; what follows the first = is their value', () => {
  const args = ['a', '--metadata', 'Owner=x=y', '--metadata', 'empty=', '--tag', 'class=a b', '--tag', 'Übung=ü'];
  expect(readArguments(args, {})).toMatchObject({ metadata: { owner: 'x=y', empty: '' }, tags: { class: 'a b', Übung: 'ü' } });
});

test.each([
  [[], 'FILE: which one?'],
  [['-'], 'KEY: standard input has no name'],
  [['-', 'cards/'], 'KEY: standard input has no name'],
  [['a', ''], 'KEY: it is empty'],
  [['a', '../b'], 'KEY: the key climbs out'],
  [['a', 'b', 'c'], 'c: one FILE and one KEY'],
  [['a', '--metadata', 'x'], '--metadata x: it is said as NAME=VALUE'],
  [['a', '--metadata', '=x'], '--metadata =x: it is said as NAME=VALUE'],
  [['a', '--metadata', 'x y=z'], '--metadata x y: no name of a header'],
  [['a', '--metadata', 'x=ü'], '--metadata x: a header carries visible ASCII'],
  [['a', '--metadata', 'x=1', '--metadata', 'X=2'], '--metadata x is said twice'],
  [['a', '--tag', 'x=1', '--tag', 'x=2'], '--tag x is said twice'],
  [['a', '--timeout', '0'], '--timeout 0: whole seconds, 1 to 43200'],
  [['a', '--part-mib', '4'], '--part-mib 4: a whole number, 5 to 512'],
  [['a', '--key', 'x'], "Unknown option '--key'"],
])('%j is refused: %s', (args, said) => {
  expect(() => readArguments(args, {})).toThrow(said);
});

test('--help needs no file, and names every option', () => {
  expect(readArguments(['--help'], {}).help).toBe(true);
  for (const option of [
    'content-type',
    'metadata',
    'tag',
    'no-wait',
    'timeout',
    'part-mib',
    'api',
    'token-file',
    'stage',
    'region',
    'json',
  ]) {
    expect(USAGE).toContain(`--${option}`);
  }
});
