/** A lock between processes: a file with the id of who has it. The lock of a process that is gone is taken over. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Locks of this process: its own id in a file may also be that of an earlier process. */
const heldHere = new Set<string>();
let attempts = 0;

/** Takes the lock and returns what gives it back, or the id of the process that has it. The folder of `path` must exist. */
export function tryLock(path: string): (() => void) | number {
  attempts += 1;
  const own = `${path}.${process.pid}-${attempts}`;
  // Linked, not written in place: a lock never exists without its process id.
  writeFileSync(own, String(process.pid), { mode: 0o600 });
  try {
    for (;;) {
      if (tryLink(own, path)) return () => release(path);
      const holder = readHolder(path);
      if (holder !== null && (holder === process.pid ? heldHere.has(path) : isAlive(holder))) return holder;
      rmSync(path, { force: true });
    }
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
  if (heldHere.delete(path)) rmSync(path, { force: true });
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
