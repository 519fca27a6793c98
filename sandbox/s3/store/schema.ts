/** The tables of this room. Keys are compared as bytes of UTF-8 (SQLite's BINARY), which is the order S3 lists them in. */
import type { DatabaseSync } from 'node:sqlite';

const TABLES = `
CREATE TABLE IF NOT EXISTS s3_bucket (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  settings TEXT NOT NULL,
  policy TEXT
);
CREATE TABLE IF NOT EXISTS s3_sequence (value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS s3_object (
  id INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL REFERENCES s3_bucket,
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  latest INTEGER NOT NULL,
  marker INTEGER NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  modified INTEGER NOT NULL,
  storage TEXT NOT NULL,
  algorithm TEXT,
  checksum_type TEXT,
  checksum TEXT,
  headers TEXT NOT NULL,
  tags TEXT NOT NULL,
  retention TEXT,
  sealed TEXT,
  parts INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS s3_object_versions ON s3_object (bucket, key, id DESC);
CREATE UNIQUE INDEX IF NOT EXISTS s3_object_listed ON s3_object (bucket, key) WHERE latest = 1 AND marker = 0;
CREATE TABLE IF NOT EXISTS s3_upload (
  id INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL REFERENCES s3_bucket,
  key TEXT NOT NULL,
  upload TEXT NOT NULL UNIQUE,
  initiated INTEGER NOT NULL,
  initiator TEXT NOT NULL,
  storage TEXT NOT NULL,
  algorithm TEXT,
  checksum_type TEXT,
  headers TEXT NOT NULL,
  tags TEXT NOT NULL,
  sealed TEXT NOT NULL,
  asked TEXT NOT NULL DEFAULT '{}',
  deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS s3_upload_keys ON s3_upload (bucket, key, id);
CREATE TABLE IF NOT EXISTS s3_completed_upload (
  upload TEXT PRIMARY KEY,
  bucket INTEGER NOT NULL,
  key TEXT NOT NULL,
  object INTEGER NOT NULL,
  version TEXT NOT NULL,
  parts TEXT NOT NULL,
  asked TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_segment (
  owner INTEGER NOT NULL,
  number INTEGER NOT NULL,
  blob TEXT NOT NULL,
  size INTEGER NOT NULL,
  counters BLOB NOT NULL,
  etag TEXT NOT NULL,
  modified INTEGER NOT NULL,
  checksum TEXT,
  PRIMARY KEY (owner, number)
) WITHOUT ROWID;
`;

/** Creates what is missing. */
export function createTables(db: DatabaseSync): void {
  db.exec(TABLES);
  addMissingColumn(db, 's3_upload', 'asked', "TEXT NOT NULL DEFAULT '{}'");
  addMissingColumn(db, 's3_upload', 'deleted', 'INTEGER NOT NULL DEFAULT 0');
  db.exec('INSERT INTO s3_sequence (value) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM s3_sequence)');
}

export interface Sequence {
  /** A number larger than any before it, in this run or an earlier one. Call it in a transaction. */
  next(): number;
}

export function openSequence(db: DatabaseSync): Sequence {
  const bump = db.prepare('UPDATE s3_sequence SET value = value + 1 RETURNING value');
  return { next: () => Number(bump.get()?.value) };
}

/** Folders from before a column was thought of stay usable. */
function addMissingColumn(db: DatabaseSync, table: string, column: string, type: string): void {
  const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
  if (!columns.some(({ name }) => name === column)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
