/** Which files the demo drops, and under which keys. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

export interface DroppedFile {
  path: string;
  key: string;
  /** Bytes. */
  size: number;
}

/**
 * Regular files below `paths`, dealt out over `prefixes` in turn; keys keep the folders below each path.
 * @throws an error that names the path when one is missing, or when there is no file at all
 */
export function findFiles(paths: string[], prefixes: string[]): DroppedFile[] {
  const found = paths.flatMap((path) => {
    const root = resolve(path);
    const stats = statSync(root, { throwIfNoEntry: false });
    if (stats === undefined) throw new Error(`${path}: no such file or folder`);
    if (stats.isFile()) return [{ path: root, name: basename(root), size: stats.size }];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const name = [basename(root), ...relative(root, file).split(sep)].join('/');
        return { path: file, name, size: statSync(file).size };
      });
  });
  if (found.length === 0) throw new Error(`no files in ${paths.join(', ')}`);
  const named = new Set<string>();
  return found.map(({ path, name, size }, index) => {
    // Two paths may end in the same folder name.
    const key = `${prefixes[index % prefixes.length]}${named.has(name) ? `${index}/` : ''}${name}`;
    named.add(name);
    return { path, key, size };
  });
}
