/** A lock between processes that ends with its holder, however that dies. */
import { DatabaseSync } from 'node:sqlite';

/**
 * The lock is the operating system's, on a database file held in a transaction: no process id is kept that a later
 * process could have. The folder of `path` must exist.
 * @returns what gives it back; `null` when somebody has it
 */
export function tryLock(path: string): (() => void) | null {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return () => database.close();
  } catch (error) {
    database.close();
    if (error instanceof Error && error.message === 'database is locked') return null;
    throw error;
  }
}
