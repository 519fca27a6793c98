/** Buckets and their settings: in SQLite, and in memory because every request needs one. */
import type { State } from '../../state.ts';
import { type BucketPolicy, parseBucketPolicy } from '../access/bucket-policy.ts';
import type { BucketSettings } from '../bucket/settings.ts';
import { noSuchBucket } from '../errors.ts';

export interface Bucket {
  id: number;
  name: string;
  /** Milliseconds. */
  created: number;
  settings: Partial<BucketSettings>;
  policy: BucketPolicy | null;
}

export interface Buckets {
  find(name: string): Bucket | null;
  /** Throws AwsError `NoSuchBucket`. */
  get(name: string): Bucket;
  /** By name. */
  list(): Bucket[];
  insert(name: string, settings: Partial<BucketSettings>): Bucket;
  update(name: string, change: Partial<Pick<Bucket, 'settings' | 'policy'>>): void;
  delete(name: string): void;
}

export function openBuckets({ db }: State): Buckets {
  const insert = db.prepare('INSERT INTO s3_bucket (name, created, settings) VALUES (?, ?, ?) RETURNING id');
  const update = db.prepare('UPDATE s3_bucket SET settings = ?, policy = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM s3_bucket WHERE id = ?');
  const known = new Map<string, Bucket>();
  for (const row of db.prepare('SELECT id, name, created, settings, policy FROM s3_bucket').all()) {
    const name = String(row.name);
    const settings: Partial<BucketSettings> = JSON.parse(String(row.settings));
    const policy = row.policy === null ? null : parseBucketPolicy(name, String(row.policy));
    known.set(name, { id: Number(row.id), name, created: Number(row.created), settings, policy });
  }

  const get = (name: string): Bucket => {
    const bucket = known.get(name);
    if (!bucket) throw noSuchBucket(name);
    return bucket;
  };

  return {
    find: (name) => known.get(name) ?? null,
    get,
    list: () => [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    insert(name, settings) {
      const created = Date.now();
      const id = Number(insert.get(name, created, JSON.stringify(settings))?.id);
      const bucket = { id, name, created, settings, policy: null };
      known.set(name, bucket);
      return bucket;
    },
    update(name, change) {
      const bucket = { ...get(name), ...change };
      update.run(JSON.stringify(bucket.settings), bucket.policy?.text ?? null, bucket.id);
      known.set(name, bucket);
    },
    delete(name) {
      remove.run(get(name).id);
      known.delete(name);
    },
  };
}
