/** A 256-bit key in a file of its own, made at the first start. */

import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const KEY_BYTES = 32;

/**
 * Reads `folder/root.key`, or makes it; only this user can read it. It is renamed into place once it is on disk: nothing may ever
 * be wrapped by a key that a crash could lose.
 */
export function readRootKey(folder: string): Buffer {
  const path = join(folder, 'root.key');
  if (!existsSync(path)) {
    const file = openSync(`${path}.new`, 'w', 0o600);
    writeSync(file, randomBytes(KEY_BYTES));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
  }
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES) throw new Error(`${path} is not a key of ${KEY_BYTES} bytes; remove the data folder to start anew`);
  return key;
}
