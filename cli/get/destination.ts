/** Where an object is put. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { isMissing } from './part-state.ts';

export const STDOUT = '-';

/**
 * @param file as it was said; `null`: the key names it
 * @param argument by which it is said
 * @returns a path where nothing is, or, with `force`, a file
 * @throws Failure: nothing may be put there
 */
export async function destinationOf(
  key: string,
  file: string | null,
  force: boolean,
  argument: 'FILE' | 'TARGET' = 'FILE',
): Promise<string> {
  const said = file ?? nameOf(key, argument);
  const path = (await kindOf(said)) === 'folder' ? join(said, nameOf(key, argument)) : said;
  const kind = await kindOf(path);
  if (kind === 'nothing') {
    if (basename(path) === '' || path.endsWith('/') || (await kindOf(dirname(path))) !== 'folder') {
      throw new Failure(`${path}: there is no such folder.`, { nextStep: `Make it first, or say another ${argument}.` });
    }
    return path;
  }
  if (kind !== 'file') throw new Failure(`${path} is no file that could be overwritten.`, { nextStep: `Say another ${argument}.` });
  if (!force) throw new Failure(`${path} is there already.`, { nextStep: `--force overwrites it; or say another ${argument}.` });
  return path;
}

/** The last segment, where that is a name in one folder on every system. */
function nameOf(key: string, argument: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (name === '' || name === '.' || name === '..' || /[\0\\]/.test(name)) {
    throw new Failure(`The key ${key} ends in nothing that names a file.`, {
      nextStep: argument === 'FILE' ? 'Say FILE.' : `Say the whole ${argument}.`,
    });
  }
  // `-` alone is standard output.
  return name === STDOUT ? `./${name}` : name;
}

async function kindOf(path: string): Promise<'nothing' | 'file' | 'folder' | 'other'> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (isMissing(error)) return 'nothing';
    throw error;
  }
}
