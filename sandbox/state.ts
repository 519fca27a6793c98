/** What outlives a restart: one SQLite file for what is looked up, folders beside it for bytes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface State {
  /** The folder given as `--data`, absolute or relative to the working directory. */
  dir: string;
  /** Shared by the services; each creates its own tables, named `<service>_<what>`. */
  db: DatabaseSync;
  /** Runs `work` in a transaction (nested calls join the outer one); rolls back and rethrows when it throws. */
  transaction<T>(work: () => T): T;
  /** Creates and returns a folder below `dir`, readable by this user alone. */
  folder(name: string): string;
  close(): void;
}

export function openState(dir: string): State {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(dir, 'state.db'));
  // A write-ahead log survives the death of the process, which is the crash a laptop sees; power loss may cost the last writes.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
  let depth = 0;
  return {
    dir,
    db,
    transaction(work) {
      if (depth > 0) return work();
      db.exec('BEGIN IMMEDIATE');
      depth += 1;
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
      }
    },
    folder(name) {
      const path = join(dir, name);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return path;
    },
    close: () => db.close(),
  };
}
