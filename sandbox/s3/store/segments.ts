/** Segments: the files of an object or of an upload, in the order of their numbers. A single write has one, a multipart upload one per part. */
import type { State } from '../../state.ts';
import type { Checksum } from '../checksum/algorithm.ts';

export interface Segment {
  number: number;
  blob: string;
  size: number;
  /** Initial counters of the cipher, one per layer. */
  counters: Buffer;
  etag: string;
  modified: number;
  /** Of a part; a single write has its checksum with the object. */
  checksum: Checksum | null;
}

export interface Segments {
  insert(owner: number, segment: Segment): void;
  of(owner: number): Segment[];
  page(owner: number, after: number, limit: number): Segment[];
  find(owner: number, number: number): Segment | null;
  /** The chosen parts of an upload become the object's, numbered anew from 1; the others stay behind. */
  move(owner: number, numbers: number[], newOwner: number): void;
  /** Forgets the segments of an owner and gives their files. */
  delete(owner: number): string[];
  deleteOne(owner: number, number: number): string[];
  isReferenced(): (blob: string) => boolean;
}

interface Row extends Omit<Segment, 'checksum' | 'counters'> {
  counters: Uint8Array;
  checksum: string | null;
}

export function openSegments({ db }: State): Segments {
  const columns = 'number, blob, size, counters, etag, modified, checksum';
  const insert = db.prepare(`INSERT INTO s3_segment (owner, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const of = db.prepare(`SELECT ${columns} FROM s3_segment WHERE owner = ? ORDER BY number`);
  const page = db.prepare(`SELECT ${columns} FROM s3_segment WHERE owner = ? AND number > ? ORDER BY number LIMIT ?`);
  const find = db.prepare(`SELECT ${columns} FROM s3_segment WHERE owner = ? AND number = ?`);
  const move = db.prepare('UPDATE s3_segment SET owner = ?, number = ? WHERE owner = ? AND number = ?');
  const remove = db.prepare('DELETE FROM s3_segment WHERE owner = ? RETURNING blob');
  const removeOne = db.prepare('DELETE FROM s3_segment WHERE owner = ? AND number = ? RETURNING blob');
  const all = db.prepare('SELECT blob FROM s3_segment');
  return {
    insert(owner, { number, blob, size, counters, etag, modified, checksum }) {
      insert.run(owner, number, blob, size, counters, etag, modified, checksum && JSON.stringify(checksum));
    },
    of: (owner) => of.all(owner).map((row) => segmentOf(row)),
    page: (owner, after, limit) => page.all(owner, after, limit).map((row) => segmentOf(row)),
    find: (owner, number) => {
      const row = find.get(owner, number);
      return row ? segmentOf(row) : null;
    },
    move(owner, numbers, newOwner) {
      numbers.forEach((number, index) => {
        move.run(newOwner, index + 1, owner, number);
      });
    },
    delete: (owner) => remove.all(owner).map(({ blob }) => String(blob)),
    deleteOne: (owner, number) => removeOne.all(owner, number).map(({ blob }) => String(blob)),
    isReferenced() {
      const blobs = new Set(all.all().map(({ blob }) => String(blob)));
      return (blob) => blobs.has(blob);
    },
  };
}

function segmentOf(row: unknown): Segment {
  const { counters, checksum, ...rest } = row as Row;
  return {
    ...rest,
    counters: Buffer.from(counters.buffer, counters.byteOffset, counters.byteLength),
    checksum: checksum === null ? null : (JSON.parse(checksum) as Checksum),
  };
}
