import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findFiles } from '../../cli/demo/find-files.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'sealdrop-find-')), 'root');
  mkdirSync(folder);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const write = (name: string, text = 'x') => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const keysOf = (paths: string[], prefixes = ['a/', 'b/']) => findFiles(paths, prefixes).files.map(({ key }) => key);

it('deals files out over the prefixes in turn, and keeps the folders below each path', () => {
  for (const name of ['1', '2', 'sub/3']) write(name);
  expect(keysOf([folder])).toEqual(['a/root/1', 'b/root/2', 'a/root/sub/3']);
});

it('takes a single file by its name, with its size', () => {
  expect(findFiles([write('one.txt', 'four')], ['p/']).files).toEqual([{ path: join(folder, 'one.txt'), key: 'p/one.txt', size: 4 }]);
});

it('follows no links, which may lead in circles', () => {
  write('file');
  symlinkSync('.', join(folder, 'loop'));
  symlinkSync(join(folder, 'file'), join(folder, 'linked'));
  expect(keysOf([folder], ['p/'])).toEqual(['p/root/file']);
});

it('gives no key twice, whatever the paths end in', () => {
  const paths = [write('x/foo'), write('y/foo'), write('z/foo'), write('2/foo'), join(folder, '2')];
  const keys = keysOf(paths, ['p/']);
  expect(new Set(keys).size).toBe(5);
  expect(keys.slice(0, 2)).toEqual(['p/foo', 'p/2/foo']);
});

it('says which path is missing, is neither file nor folder, or holds nothing', () => {
  expect(() => findFiles([join(folder, 'none')], ['p/'])).toThrow(/none: no such file or folder/);
  expect(() => findFiles(['/dev/null'], ['p/'])).toThrow('/dev/null: neither a file nor a folder');
  expect(() => findFiles([folder], ['p/'])).toThrow(`no files in ${folder}`);
});
