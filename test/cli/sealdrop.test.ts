/** The command as a shell starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test.each([
  ['standard output', 'help', 'stdout', 0],
  ['standard error', 'frobnicate', 'stderr', 2],
] as const)('ends without a word about itself where nobody reads %s any more', async (_, argument, closed, code) => {
  const child = spawn(process.execPath, ['bin/sealdrop.js', argument], { cwd: join(import.meta.dirname, '../..') });
  child[closed].destroy();
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
  expect(await once(child, 'close')).toEqual([code, null]);
  expect(Buffer.concat(said).toString()).toBe('');
});
