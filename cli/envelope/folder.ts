/** Folders: what is in one, and where something may be put in one. */
import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { isMissing } from '../get/part-state.ts';
import { errorMessage } from '../sdk-error.ts';

export interface Listing {
  /** Regular files below the folder, with `/` between folders, in order. */
  files: string[];
  /** Links, which may lead in circles or out of the folder, and what is neither file nor folder. */
  leftOut: number;
  unreadable: { name: string; reason: string }[];
}

/** @throws Failure: it is no folder that can be read */
export async function filesBelow(folder: string): Promise<Listing> {
  const listing: Listing = { files: [], leftOut: 0, unreadable: [] };
  const walk = async (below: string[]) => {
    const entries = await readdir(join(folder, ...below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const way = [...below, entry.name];
      if (entry.isFile()) listing.files.push(way.join('/'));
      else if (!entry.isDirectory()) listing.leftOut += 1;
      else
        await walk(way).catch((error: unknown) => void listing.unreadable.push({ name: `${way.join('/')}/`, reason: errorMessage(error) }));
    }
  };
  await walk([]).catch((cause: unknown) => {
    throw new Failure(`${folder} cannot be read as a folder (${errorMessage(cause)}).`, { exitCode: 2, cause });
  });
  return listing;
}

/**
 * Where `name` is put below a folder, whose folders are made. Nothing that a name says leads out of it, and no link that is in it does.
 * @param name with `/` between folders, from somebody else's hand
 * @returns a path where no folder is
 * @throws Failure: no file may be put there; what the file system says
 */
export async function placeBelow(folder: string, name: string, overwrite: boolean): Promise<string> {
  const segments = name.split('/');
  const wrong = segments.find(isNoName);
  if (wrong !== undefined) {
    throw new Failure(
      `${name}: it has ${wrong === '' ? 'an empty name' : JSON.stringify(wrong)} in it, which names no file below ${folder}.`,
      {
        nextStep: name.endsWith('/') ? 'Copy it to a key that does not end in /.' : 'Name it by itself, with a TARGET of your own.',
      },
    );
  }
  let path = folder;
  for (const segment of segments.slice(0, -1)) {
    path = join(path, segment);
    await makeFolder(path);
  }
  path = join(path, segments.at(-1) ?? '');
  const kind = await kindOf(path);
  if (kind === 'nothing') return path;
  if (kind !== 'file') throw new Failure(`${path} is no file that could be overwritten.`);
  if (!overwrite) throw new Failure(`${path} is there already.`, { nextStep: '--force overwrites it.' });
  return path;
}

/** Not a name on every system. */
const isNoName = (segment: string) => segment === '' || segment === '.' || segment === '..' || /[\0\\]/.test(segment);

async function makeFolder(path: string): Promise<void> {
  if ((await kindOf(path)) === 'nothing') {
    await mkdir(path).catch((error: unknown) => {
      // Another file's way went through it at the same time.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  }
  const kind = await kindOf(path);
  if (kind !== 'folder') throw new Failure(`${path} is ${kind === 'link' ? 'a link' : 'no folder'}: nothing is put through it.`);
}

async function kindOf(path: string): Promise<'nothing' | 'file' | 'folder' | 'link' | 'other'> {
  try {
    const found = await lstat(path);
    return found.isSymbolicLink() ? 'link' : found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (isMissing(error)) return 'nothing';
    throw error;
  }
}
