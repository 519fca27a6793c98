/** Multipart uploads that are under way. */
import { randomBytes } from 'node:crypto';
import type { State } from '../../state.ts';
import type { Tag } from '../bucket/tags.ts';
import type { ChecksumAlgorithm, ChecksumType } from '../checksum/algorithm.ts';
import type { Sealed } from '../encryption/mode.ts';
import type { StoredHeaders } from './objects.ts';

export interface Upload {
  id: number;
  bucket: number;
  key: string;
  /** What clients know it by. */
  upload: string;
  initiated: number;
  /** ARN of who began it. */
  initiator: string;
  storage: string;
  /** `null`: the client named none, and the object gets S3's default. */
  algorithm: ChecksumAlgorithm | null;
  checksumType: ChecksumType | null;
  headers: StoredHeaders;
  tags: Tag[];
  sealed: Sealed;
  /** Condition keys of the encryption that it was begun with. */
  asked: Record<string, string>;
  /** The key was deleted since, by a request that named no version; whether anything was there does not matter. */
  deleted: boolean;
}

export interface Uploads {
  insert(upload: Omit<Upload, 'upload' | 'deleted'>): Upload;
  find(bucket: number, key: string, upload: string): Upload | null;
  delete(id: number): void;
  /** Tells those of a key that it was deleted. */
  keyDeleted(bucket: number, key: string): void;
  of(bucket: number): Upload[];
}

interface Row extends Omit<Upload, 'checksumType' | 'headers' | 'tags' | 'sealed' | 'asked' | 'deleted'> {
  checksum_type: ChecksumType | null;
  headers: string;
  tags: string;
  sealed: string;
  asked: string;
  deleted: number;
}

export function openUploads({ db }: State): Uploads {
  const given = 'id, bucket, key, upload, initiated, initiator, storage, algorithm, checksum_type, headers, tags, sealed, asked';
  const columns = `${given}, deleted`;
  const insert = db.prepare(`INSERT INTO s3_upload (${given}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const find = db.prepare(`SELECT ${columns} FROM s3_upload WHERE upload = ? AND bucket = ? AND key = ?`);
  const remove = db.prepare('DELETE FROM s3_upload WHERE id = ?');
  const markDeleted = db.prepare('UPDATE s3_upload SET deleted = 1 WHERE bucket = ? AND key = ?');
  const of = db.prepare(`SELECT ${columns} FROM s3_upload WHERE bucket = ?`);
  return {
    insert(begun) {
      const upload = { ...begun, upload: randomBytes(32).toString('base64url'), deleted: false };
      const { id, bucket, key, initiated, initiator, storage, algorithm, checksumType, headers, tags, sealed, asked } = upload;
      const texts = [JSON.stringify(headers), JSON.stringify(tags), JSON.stringify(sealed), JSON.stringify(asked)] as const;
      insert.run(id, bucket, key, upload.upload, initiated, initiator, storage, algorithm, checksumType, ...texts);
      return upload;
    },
    find(bucket, key, upload) {
      const row = find.get(upload, bucket, key);
      return row ? uploadOf(row) : null;
    },
    delete: (id) => void remove.run(id),
    keyDeleted: (bucket, key) => void markDeleted.run(bucket, key),
    of: (bucket) => of.all(bucket).map(uploadOf),
  };
}

function uploadOf(value: unknown): Upload {
  const { checksum_type: checksumType, headers, tags, sealed, asked, deleted, ...rest } = value as Row;
  return {
    ...rest,
    checksumType,
    headers: JSON.parse(headers) as StoredHeaders,
    tags: JSON.parse(tags) as Tag[],
    sealed: JSON.parse(sealed) as Sealed,
    asked: JSON.parse(asked) as Record<string, string>,
    deleted: deleted === 1,
  };
}
