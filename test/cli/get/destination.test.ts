import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { destinationOf } from '../../../cli/get/destination.ts';

let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-destination-'));
  process.chdir(folder);
  mkdirSync('folder/a folder', { recursive: true });
  writeFileSync('there.txt', '');
  writeFileSync('folder/there.txt', '');
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test.each([
  ['cards/a.pdf', null, 'a.pdf'],
  ['a.pdf', null, 'a.pdf'],
  ['cards/a.pdf', 'b.pdf', 'b.pdf'],
  ['cards/a.pdf', 'folder', 'folder/a.pdf'],
  ['cards/a.pdf', 'folder/', 'folder/a.pdf'],
  ['cards/', 'b.pdf', 'b.pdf'],
  ['cards/-', null, './-'],
  ['cards/-', 'folder', 'folder/-'],
])('%s with FILE %j goes to %s', async (key, file, path) => {
  expect(await destinationOf(key, file, false)).toBe(path);
});

describe('nothing is put', () => {
  test.each([
    ['where a file is', 'x/there.txt', null, 'there already'],
    ['where a file is in a folder', 'x/there.txt', 'folder', 'there already'],
    ['in the place of a folder', 'x/a folder', 'folder', 'no file that could be overwritten'],
    ['into a folder that is not there', 'x', 'nowhere/x', 'no such folder'],
    ['as a folder that is not there', 'x', 'nowhere/', 'no such folder'],
    ['without a name', 'x/', null, 'names a file'],
    ['under a name that leads out of the folder', 'x/..', 'folder', 'names a file'],
    ['under a name that is a path elsewhere', 'x/..\\y', null, 'names a file'],
  ])('%s: %s, FILE %j', async (_, key, file, said) => {
    await expect(destinationOf(key, file, false)).rejects.toThrow(said);
  });

  test('over what is no file, even by force', async () => {
    await expect(destinationOf('x', '/dev/null', true)).rejects.toThrow('no file that could be overwritten');
    expect(await destinationOf('x', 'there.txt', true)).toBe('there.txt');
    for (const [file, argument] of [
      ['there.txt', 'FILE'],
      ['there.txt', 'TARGET'],
    ] as const) {
      await expect(destinationOf('x', file, false, argument)).rejects.toMatchObject({
        nextStep: expect.stringContaining(`say another ${argument}.`),
      });
    }
  });
});
