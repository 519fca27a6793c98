/** Multipart uploads that have become objects: S3 answers the same completion again. */
import type { State } from '../../state.ts';

export interface CompletedUpload {
  /** What clients know it by. */
  upload: string;
  bucket: number;
  key: string;
  /** Id and version of the object that it became. */
  object: number;
  version: string;
  /** The completion's list: part numbers with their ETags. */
  parts: [number, string][];
  /** Condition keys of the encryption that it was begun with. */
  asked: Record<string, string>;
}

export interface CompletedUploads {
  insert(completed: CompletedUpload): void;
  find(bucket: number, key: string, upload: string): CompletedUpload | null;
}

interface Row extends Omit<CompletedUpload, 'parts' | 'asked'> {
  parts: string;
  asked: string;
}

export function openCompletedUploads({ db }: State): CompletedUploads {
  const columns = 'upload, bucket, key, object, version, parts, asked';
  const insert = db.prepare(`INSERT INTO s3_completed_upload (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const find = db.prepare(`SELECT ${columns} FROM s3_completed_upload WHERE upload = ? AND bucket = ? AND key = ?`);
  return {
    insert({ upload, bucket, key, object, version, parts, asked }) {
      insert.run(upload, bucket, key, object, version, JSON.stringify(parts), JSON.stringify(asked));
    },
    find(bucket, key, upload) {
      const value = find.get(upload, bucket, key);
      if (!value) return null;
      const row = value as unknown as Row;
      return { ...row, parts: JSON.parse(row.parts) as CompletedUpload['parts'], asked: JSON.parse(row.asked) as Record<string, string> };
    },
  };
}
