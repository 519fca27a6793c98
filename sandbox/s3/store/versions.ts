/**
 * What a write or a delete does to the versions of a key, by the bucket's versioning.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
 */
import { randomUUID } from 'node:crypto';
import type { Bucket } from './buckets.ts';
import { NULL_VERSION, type ObjectRecord, type Objects } from './objects.ts';
import type { Sequence } from './schema.ts';
import type { Segments } from './segments.ts';

/** What S3's listings give as ETag of nothing; delete markers have it in their events. */
const EMPTY_ETAG = 'd41d8cd98f00b204e9800998ecf8427e';
const VERSION_ID = /^[\w.]{32}$/;

export interface Deletion {
  /** What was removed, or `null` when there was nothing. */
  removed: ObjectRecord | null;
  /** What was put in its place. */
  marker: ObjectRecord | null;
  /** Orders this deletion among the events of its key. */
  sequence: number;
  /** Files that nobody refers to any more. */
  orphans: string[];
}

/** All of these run inside a transaction. */
export interface Versions {
  /** The next sequence number and the version id that the bucket gives to a new object. */
  identify(bucket: Bucket): { id: number; version: string };
  /** Makes `record` the current version; gives the files of a null version that it replaced. */
  put(record: ObjectRecord): string[];
  /** DELETE without a version id: removes, or puts a delete marker. */
  deleteCurrent(bucket: Bucket, key: string): Deletion;
  deleteVersion(record: ObjectRecord): Deletion;
}

export function isVersionId(text: string): boolean {
  return text === NULL_VERSION || VERSION_ID.test(text);
}

export function openVersions(objects: Objects, segments: Segments, sequence: Sequence): Versions {
  const identify = (bucket: Bucket) => ({
    id: sequence.next(),
    version: bucket.settings.versioning?.Status === 'Enabled' ? randomUUID().replaceAll('-', '') : NULL_VERSION,
  });

  const put = (record: ObjectRecord): string[] => {
    const current = objects.current(record.bucket, record.key);
    let replaced: ObjectRecord | null = null;
    if (record.version === NULL_VERSION) {
      const currentIsNull = current?.version === NULL_VERSION;
      replaced = currentIsNull || !current ? current : objects.version(record.bucket, record.key, NULL_VERSION);
    }
    if (replaced) objects.delete(replaced.id);
    if (current && current !== replaced) objects.setLatest(current.id, false);
    objects.insert(record);
    return replaced ? segments.delete(replaced.id) : [];
  };

  return {
    identify,
    put,
    deleteCurrent(bucket, key) {
      if (!bucket.settings.versioning) {
        const removed = objects.current(bucket.id, key);
        const sequenceNumber = sequence.next();
        if (removed) objects.delete(removed.id);
        return { removed, marker: null, sequence: sequenceNumber, orphans: removed ? segments.delete(removed.id) : [] };
      }
      const { id, version } = identify(bucket);
      const marker: ObjectRecord = {
        id,
        bucket: bucket.id,
        key,
        version,
        latest: true,
        size: 0,
        etag: EMPTY_ETAG,
        modified: Date.now(),
        storage: 'STANDARD',
        checksum: null,
        headers: {},
        tags: [],
        retention: null,
        sealed: null,
        parts: null,
      };
      return { removed: null, marker, sequence: id, orphans: put(marker) };
    },
    deleteVersion(record) {
      objects.delete(record.id);
      if (record.latest) {
        const next = objects.current(record.bucket, record.key);
        if (next) objects.setLatest(next.id, true);
      }
      return { removed: record, marker: null, sequence: sequence.next(), orphans: segments.delete(record.id) };
    },
  };
}
