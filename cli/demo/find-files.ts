/** Which files the demo drops, and under which keys. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export interface DroppedFile {
  path: string;
  key: string;
  /** Bytes. */
  size: number;
}

/** What could not be read, and why. */
export interface Unreadable {
  path: string;
  reason: string;
}

/**
 * Regular files below `paths`, dealt out over `prefixes` in turn; keys keep the folders below each path. Links below a path are not
 * followed: they may lead in circles.
 * @throws an error that names the path when one is missing or neither file nor folder, or when there is no file at all
 */
export function findFiles(paths: string[], prefixes: string[]): { files: DroppedFile[]; unreadable: Unreadable[] } {
  const unreadable: Unreadable[] = [];
  const found = paths.flatMap((path) => {
    const root = resolve(path);
    const stats = statSync(root, { throwIfNoEntry: false });
    if (stats === undefined) throw new Error(`${path}: no such file or folder`);
    if (stats.isFile()) return [{ path: root, name: basename(root), size: stats.size }];
    if (!stats.isDirectory()) throw new Error(`${path}: neither a file nor a folder`);
    return filesBelow(root, basename(root), unreadable);
  });
  if (found.length === 0) throw new Error(`no files in ${paths.join(', ')}`);
  const taken = new Set<string>();
  const files = found.map(({ path, name, size }, index) => {
    let key = `${prefixes[index % prefixes.length]}${name}`;
    // Two paths may end in the same names.
    for (let copy = 2; taken.has(key); copy += 1) key = `${prefixes[index % prefixes.length]}${copy}/${name}`;
    taken.add(key);
    return { path, key, size };
  });
  return { files, unreadable };
}

function filesBelow(folder: string, name: string, unreadable: Unreadable[]): { path: string; name: string; size: number }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      const below = `${name}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path, below, unreadable);
      return entry.isFile() ? fileAt(path, below, unreadable) : [];
    });
  } catch (error) {
    unreadable.push({ path: folder, reason: reasonOf(error) });
    return [];
  }
}

function fileAt(path: string, name: string, unreadable: Unreadable[]) {
  try {
    return [{ path, name, size: statSync(path).size }];
  } catch (error) {
    unreadable.push({ path, reason: reasonOf(error) });
    return [];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
