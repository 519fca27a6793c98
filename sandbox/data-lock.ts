/** One process at a time on a data folder. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Locks of this process: its own id in a file may also be that of an earlier process. */
const heldHere = new Set<string>();

/** What keeps a sandbox from starting; the message says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Takes the folder for this process; the lock of a process that is gone is taken over.
 * @returns what gives it back
 * @throws StartError when another process has it
 */
export function lockData(dir: string): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, 'lock');
  const own = join(dir, `lock.${process.pid}`);
  // Linked, not written in place: a lock never exists without its process id.
  writeFileSync(own, String(process.pid), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (tryLink(own, path)) return () => release(path);
      const holder = readHolder(path);
      if (holder !== null && holder !== process.pid && isAlive(holder)) {
        throw new StartError(`The data folder ${dir} is in use by process ${holder}. Stop it, or give this one another folder (--data).`);
      }
      if (holder === process.pid && heldHere.has(path)) {
        throw new StartError(
          `The data folder ${dir} is in use by this process already. Stop that sandbox first, or give this one another folder.`,
        );
      }
      rmSync(path, { force: true });
    }
    throw new StartError(`The data folder ${dir} could not be locked: another process keeps taking it.`);
  } finally {
    rmSync(own, { force: true });
  }
}

function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    heldHere.add(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function release(path: string): void {
  heldHere.delete(path);
  rmSync(path, { force: true });
}

function readHolder(path: string): number | null {
  try {
    const id = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(id) && id > 0 ? id : null;
  } catch {
    return null;
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
