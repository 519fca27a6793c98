/** Objects and their versions. Only statements; which of them S3 runs when is in versions.ts. */
import type { State } from '../../state.ts';
import type { Tag } from '../bucket/tags.ts';
import type { Checksum } from '../checksum/algorithm.ts';
import type { Sealed } from '../encryption/mode.ts';

/** The version id of objects that were written while versioning was off or suspended. */
export const NULL_VERSION = 'null';

/** What a client sees of an object besides its bytes, by lower-case header name: content-type, x-amz-meta-… and so on. */
export type StoredHeaders = Record<string, string>;

export interface Retention {
  mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** Milliseconds. */
  until: number;
}

export interface ObjectRecord {
  /** Rises with every write anywhere: orders versions, and is the sequencer of events. */
  id: number;
  bucket: number;
  key: string;
  version: string;
  latest: boolean;
  size: number;
  /** Without quotes. */
  etag: string;
  modified: number;
  storage: string;
  checksum: Checksum | null;
  headers: StoredHeaders;
  tags: Tag[];
  retention: Retention | null;
  /** `null`: a delete marker. */
  sealed: Sealed | null;
  /** How many parts a multipart upload had, `null` for a single write. */
  parts: number | null;
}
export type StoredObject = ObjectRecord & { sealed: Sealed };

export interface Objects {
  /** The newest version or delete marker. */
  current(bucket: number, key: string): ObjectRecord | null;
  version(bucket: number, key: string, version: string): ObjectRecord | null;
  insert(record: ObjectRecord): void;
  delete(id: number): void;
  setLatest(id: number, latest: boolean): void;
  setTags(id: number, tags: Tag[]): void;
  /** What keeps a bucket from being deleted: versions or markers at all, and objects that are listed. */
  contents(bucket: number): { versions: boolean; current: boolean };
}

const COLUMNS =
  'id, bucket, key, version, latest, marker, size, etag, modified, storage, algorithm, checksum_type, checksum, headers, tags, retention, sealed, parts';

export function openObjects({ db }: State): Objects {
  const current = db.prepare(`SELECT ${COLUMNS} FROM s3_object WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1`);
  const version = db.prepare(`SELECT ${COLUMNS} FROM s3_object WHERE bucket = ? AND key = ? AND version = ?`);
  const insert = db.prepare(`INSERT INTO s3_object (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const remove = db.prepare('DELETE FROM s3_object WHERE id = ?');
  const setLatest = db.prepare('UPDATE s3_object SET latest = ? WHERE id = ?');
  const setTags = db.prepare('UPDATE s3_object SET tags = ? WHERE id = ?');
  const anyVersion = db.prepare('SELECT 1 FROM s3_object WHERE bucket = ? LIMIT 1');
  const anyCurrent = db.prepare('SELECT 1 FROM s3_object WHERE bucket = ? AND latest = 1 AND marker = 0 LIMIT 1');
  const one = (row: unknown): ObjectRecord | null => (row === undefined ? null : recordOf(row));
  return {
    current: (bucket, key) => one(current.get(bucket, key)),
    version: (bucket, key, id) => one(version.get(bucket, key, id)),
    insert(record) {
      const { id, bucket, key, latest, size, etag, modified, storage, checksum, headers, tags, retention, sealed, parts } = record;
      const marker = sealed === null ? 1 : 0;
      const [algorithm, type, value] = checksum ? [checksum.algorithm, checksum.type, checksum.value] : [null, null, null];
      const described = [JSON.stringify(headers), JSON.stringify(tags), retention && JSON.stringify(retention)] as const;
      const sealedText = sealed && JSON.stringify(sealed);
      const identity = [id, bucket, key, record.version, latest ? 1 : 0, marker] as const;
      insert.run(...identity, size, etag, modified, storage, algorithm, type, value, ...described, sealedText, parts);
    },
    delete: (id) => void remove.run(id),
    setLatest: (id, latest) => void setLatest.run(latest ? 1 : 0, id),
    setTags: (id, tags) => void setTags.run(JSON.stringify(tags), id),
    contents: (bucket) => ({ versions: anyVersion.get(bucket) !== undefined, current: anyCurrent.get(bucket) !== undefined }),
  };
}

interface Row {
  id: number;
  bucket: number;
  key: string;
  version: string;
  latest: number;
  size: number;
  etag: string;
  modified: number;
  storage: string;
  algorithm: Checksum['algorithm'] | null;
  checksum_type: Checksum['type'] | null;
  checksum: string | null;
  headers: string;
  tags: string;
  retention: string | null;
  sealed: string | null;
  parts: number | null;
}

function recordOf(value: unknown): ObjectRecord {
  const row = value as Row;
  const { id, bucket, key, version, size, etag, modified, storage, algorithm, checksum_type: type, checksum, parts } = row;
  return {
    id,
    bucket,
    key,
    version,
    latest: row.latest === 1,
    size,
    etag,
    modified,
    storage,
    checksum: algorithm && type && checksum ? { algorithm, type, value: checksum } : null,
    headers: JSON.parse(row.headers) as StoredHeaders,
    tags: JSON.parse(row.tags) as Tag[],
    retention: row.retention === null ? null : (JSON.parse(row.retention) as Retention),
    sealed: row.sealed === null ? null : (JSON.parse(row.sealed) as Sealed),
    parts,
  };
}
