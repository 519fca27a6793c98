import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, placeBelow } from '../../../cli/envelope/folder.ts';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sealdrop-folder-'));
  folder = join(root, 'folder');
  mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a listing', () => {
  test('has every file below the folder, and counts links, which are not followed', async () => {
    mkdirSync(join(folder, 'b/c'), { recursive: true });
    for (const name of ['b/c/deep', 'a', 'b/..odd']) writeFileSync(join(folder, name), '');
    symlinkSync(root, join(folder, 'circle'));
    symlinkSync(join(folder, 'a'), join(folder, 'b/link'));
    expect(await filesBelow(folder)).toEqual({ files: ['a', 'b/..odd', 'b/c/deep'], leftOut: 2, unreadable: [] });
  });

  test.each(['nothing', 'file'])('of what is no folder is refused (%s)', async (name) => {
    writeFileSync(join(folder, 'file'), '');
    await expect(filesBelow(join(folder, name))).rejects.toMatchObject({
      message: expect.stringContaining('cannot be read as a folder'),
      exitCode: 2,
    });
  });
});

describe('a name from somebody else', () => {
  test.each(['../out', 'a/../../out', 'a/..', '..', '.', 'a/./b', '/etc/out', 'a//b', '', 'a\\..\\out', 'a\0b'])(
    'is refused where it does not lead down alone: %j',
    async (name) => {
      await expect(placeBelow(folder, name, true)).rejects.toThrow(/which names no file below/);
      expect(readdirSync(root)).toEqual(['folder']);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test('does not lead through a link that is there, nor over one', async () => {
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), join(folder, 'link'));
    await expect(placeBelow(folder, 'link/file', true)).rejects.toThrow('is a link: nothing is put through it');
    await expect(placeBelow(folder, 'link/new/file', true)).rejects.toThrow('is a link');
    await expect(placeBelow(folder, 'link', true)).rejects.toThrow('is no file that could be overwritten');
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
  });

  test('gets its folders, and keeps dots that are part of it', async () => {
    expect(await placeBelow(folder, 'a/..b/c...', false)).toBe(join(folder, 'a/..b/c...'));
    expect(existsSync(join(folder, 'a/..b'))).toBe(true);
  });

  test('of a file that is there is refused, unless it may be overwritten', async () => {
    writeFileSync(join(folder, 'a'), '');
    await expect(placeBelow(folder, 'a', false)).rejects.toThrow('is there already');
    expect(await placeBelow(folder, 'a', true)).toBe(join(folder, 'a'));
    await expect(placeBelow(folder, 'a/b', true)).rejects.toThrow('is no folder');
  });
});
