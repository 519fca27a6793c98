/** What is read and what is written are apart, by whatever names. */
import { realpathSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Failure } from '../failure.ts';
import type { Place } from './place.ts';

/** The next run would read what this one writes, or --force replace what is still to be read. @throws an error that names both */
export function refuseFolderWithin(source: string, target: string): void {
  const [from, to] = [realPath(source), realPath(target)];
  if (isWithin(to, from)) throw new Error(`TARGET ${target}: it lies within SOURCE ${source}; say a folder beside it`);
  if (isWithin(from, to)) throw new Error(`TARGET ${target}: SOURCE ${source} lies within it; say a folder beside it`);
}

/** What is read would be replaced. @throws Failure: they are one file */
export async function refuseSameFile(source: Place, target: Place): Promise<void> {
  if (source.kind !== 'file' || target.kind !== 'file') return;
  const [from, to] = await Promise.all([identity(source.path), identity(target.path)]);
  if (from !== null && from === to) throw new Failure(`${target.path} is SOURCE itself.`, { nextStep: 'Say another TARGET.' });
}

/** Without links, as far as there is anything. */
function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const above = dirname(whole);
    return above === whole ? whole : join(realPath(above), basename(whole));
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way;
}

/** @returns `null`: nothing is there, or nothing that could be opened either */
async function identity(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.dev} ${found.ino}`;
}
