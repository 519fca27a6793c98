/** Pages of keys in order. Common prefixes are skipped by seeking in the index, so that a folder of a million keys costs one step. */
import type { StatementSync } from 'node:sqlite';
import type { State } from '../../state.ts';

export interface PageRequest {
  bucket: number;
  prefix: string;
  delimiter: string;
  /** Exclusive: a key, or a common prefix that was given before. */
  after: string;
  limit: number;
}

export interface Page<Row> {
  rows: Row[];
  prefixes: string[];
  /** The last key or common prefix of this page; `null` when nothing follows. */
  next: string | null;
}

export interface ListedObject {
  key: string;
  size: number;
  etag: string;
  modified: number;
  storage: string;
  algorithm: string | null;
  checksum_type: string | null;
}

export interface ListedVersion extends ListedObject {
  id: number;
  version: string;
  latest: number;
  marker: number;
}

export interface ListedUpload {
  id: number;
  key: string;
  upload: string;
  initiated: number;
  initiator: string;
  storage: string;
  algorithm: string | null;
  checksum_type: string | null;
}

/** Goes on within the rows of `after` itself: those with an id below (versions) or above (uploads) this one. */
export type WithinKey = { id: number } | null;

export interface Listing {
  objects(request: PageRequest): Page<ListedObject>;
  versions(request: PageRequest, within: WithinKey): Page<ListedVersion>;
  uploads(request: PageRequest, within: WithinKey): Page<ListedUpload>;
}

export function openListing({ db }: State): Listing {
  const listed = 'key, size, etag, modified, storage, algorithm, checksum_type';
  const objects = db.prepare(`SELECT ${listed} FROM s3_object WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ? ORDER BY key`);
  const version = `${listed}, id, version, latest, marker`;
  const versions = db.prepare(`SELECT ${version} FROM s3_object WHERE bucket = ? AND key >= ? ORDER BY key, id DESC`);
  const olderVersions = db.prepare(`SELECT ${version} FROM s3_object WHERE bucket = ? AND key = ? AND id < ? ORDER BY id DESC`);
  const upload = 'key, id, upload, initiated, initiator, storage, algorithm, checksum_type';
  const uploads = db.prepare(`SELECT ${upload} FROM s3_upload WHERE bucket = ? AND key >= ? ORDER BY key, id`);
  const laterUploads = db.prepare(`SELECT ${upload} FROM s3_upload WHERE bucket = ? AND key = ? AND id > ? ORDER BY id`);
  return {
    objects: (request) => page<ListedObject>(objects, request, []),
    versions: (request, within) =>
      page<ListedVersion>(versions, request, within ? olderVersions.iterate(request.bucket, request.after, within.id) : []),
    uploads: (request, within) =>
      page<ListedUpload>(uploads, request, within ? laterUploads.iterate(request.bucket, request.after, within.id) : []),
  };
}

/** The least string after all that begin with `prefix`; `null` when there is none. */
export function successor(prefix: string): string | null {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    // U+D800 to U+DFFF are no characters of their own.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return null;
}

function page<Row extends { key: string }>(statement: StatementSync, request: PageRequest, first: Iterable<unknown>): Page<Row> {
  const { bucket, prefix, delimiter, after, limit } = request;
  const result: Page<Row> = { rows: [], prefixes: [], next: null };
  if (limit === 0) return result;
  let last = '';
  const full = () => result.rows.length + result.prefixes.length >= limit;

  for (const value of first) {
    const row = value as Row;
    if (full()) return { ...result, next: last };
    result.rows.push(row);
    last = row.key;
  }
  for (let from = firstKey(prefix, delimiter, after); from !== null; ) {
    let skipTo: string | null = null;
    for (const value of statement.iterate(bucket, from)) {
      const row = value as Row;
      if (!row.key.startsWith(prefix)) break;
      const common = delimiter === '' ? null : commonPrefix(row.key, prefix, delimiter);
      if (full()) return { ...result, next: last };
      if (common === null) {
        result.rows.push(row);
        last = row.key;
      } else {
        result.prefixes.push(common);
        last = common;
        skipTo = successor(common);
        break;
      }
    }
    from = skipTo;
  }
  return result;
}

/** Inclusive. A marker inside a common prefix has that prefix behind it. */
function firstKey(prefix: string, delimiter: string, after: string): string | null {
  if (after === '') return prefix;
  const common = delimiter === '' || !after.startsWith(prefix) ? null : commonPrefix(after, prefix, delimiter);
  if (common !== null) return successor(common);
  const next = `${after}\u0000`;
  return Buffer.compare(Buffer.from(next), Buffer.from(prefix)) < 0 ? prefix : next;
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | null {
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? null : key.slice(0, at + delimiter.length);
}
