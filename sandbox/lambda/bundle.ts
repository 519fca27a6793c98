/** Unpacks a function's zip file once, into a folder named by its hash. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { unzipSync } from 'fflate';

/**
 * Unpacks `zipPath` below `folder` and returns the folder of its files. What is there already is used as it is.
 * @throws when the file is missing or not a zip file, or an entry points out of the bundle.
 */
export function unpackBundle(zipPath: string, folder: string): { taskRoot: string; sha256: string; size: number } {
  const zip = readFileSync(zipPath);
  const hash = createHash('sha256').update(zip);
  const sha256 = hash.copy().digest('base64');
  const taskRoot = join(folder, hash.digest('hex').slice(0, 32));
  // Without one of its own, a bundle must not inherit `"type": "module"` from a package.json further up.
  const packageFile = join(folder, 'package.json');
  if (!existsSync(packageFile)) writeFileSync(packageFile, '{ "type": "commonjs" }\n');
  if (!existsSync(taskRoot)) {
    const fresh = `${taskRoot}.${randomBytes(4).toString('hex')}`;
    for (const [name, bytes] of Object.entries(unzipSync(zip))) {
      if (!name.endsWith('/')) writeEntry(fresh, name, bytes);
    }
    moveInto(fresh, taskRoot);
  }
  return { taskRoot, sha256, size: zip.length };
}

function writeEntry(root: string, name: string, bytes: Uint8Array): void {
  const path = normalize(join(root, name));
  if (!path.startsWith(root + sep)) throw new Error(`The bundle has an entry outside of itself: ${name}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

function moveInto(fresh: string, taskRoot: string): void {
  try {
    renameSync(fresh, taskRoot);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process was first: the same hash is the same content.
    if (!existsSync(taskRoot)) throw error;
  }
}
