import { link } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeNewFile } from '../../../cli/envelope/new-file.ts';
import { makeFolder } from './commands.ts';

vi.mock('node:fs/promises', async (original) => ({ ...(await original<typeof import('node:fs/promises')>()), link: vi.fn() }));

let folder: ReturnType<typeof makeFolder>;

beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

async function* hello() {
  yield Buffer.from('hello');
}

/** @param meanwhile before the file is moved to its place, which a file system then refuses with the code */
function write(code: string, meanwhile: () => void = () => {}) {
  vi.mocked(link).mockImplementation(async () => {
    meanwhile();
    throw Object.assign(new Error(code), { code });
  });
  return writeNewFile(folder.at('a'), hello(), { overwrite: false, signal: new AbortController().signal });
}

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
  'a file system without links (%s) takes a file all the same, over none',
  async (code) => {
    expect(await write(code)).toBe(5);
    expect([folder.names(), folder.read('a').toString()]).toEqual([['a'], 'hello']);
    folder.write('a', 'older');
    await expect(write(code)).rejects.toThrow('is there already');
    expect([folder.names(), folder.read('a').toString()]).toEqual([['a'], 'older']);
  },
);

test.each(['EIO', 'EACCES', 'EMLINK'])('what else goes wrong (%s) is told, and replaces nothing', async (code) => {
  await expect(write(code, () => folder.write('a', 'older'))).rejects.toThrow(code);
  expect([folder.names(), folder.read('a').toString()]).toEqual([['a'], 'older']);
});
