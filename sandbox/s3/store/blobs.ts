/**
 * Where (encrypted) bytes are kept: small ones as rows, since making a file costs several times as much, large ones as files.
 * The names of files are random: no key, and nothing about an object, ever is a file name.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** Before a row's number; files' names are hexadecimal. */
const ROW = 'row-';

export interface BlobReader {
  /** At least one byte and at most `length`. Throws when nothing is there. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Blobs {
  /** Keeps bytes in one go and gives their name. */
  write(bytes: Buffer): string;
  /** A new file to write a large body to; whoever creates it closes it. */
  create(): Promise<{ name: string; handle: FileHandle }>;
  /** As above, empty and closed. */
  reserve(): { name: string; path: string };
  /** Of the file; `null` for what is kept in a row. */
  pathOf(name: string): string | null;
  /** Reads `length` bytes from `offset` on. Throws when there are fewer. */
  read(name: string, offset: number, length: number): Buffer;
  open(name: string): Promise<BlobReader>;
  /** Keeps bytes that are being read: those that are removed meanwhile go when the returned function is called. */
  hold(names: string[]): () => void;
  remove(names: string[]): void;
  /** Removes all that `isReferenced` does not know: what a killed process left behind. */
  sweep(isReferenced: (name: string) => boolean): void;
}

/** @param rowBytes up to here bytes are kept in a row */
export function openBlobs(db: DatabaseSync, folder: string, rowBytes: number): Blobs {
  // AUTOINCREMENT: the number of removed bytes, which may still be held, is never given again.
  db.exec('CREATE TABLE IF NOT EXISTS s3_blob (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL)');
  const insertRow = db.prepare('INSERT INTO s3_blob (bytes) VALUES (?)');
  const selectRow = db.prepare('SELECT substr(bytes, ? + 1, ?) AS bytes FROM s3_blob WHERE id = ?');
  const deleteRow = db.prepare('DELETE FROM s3_blob WHERE id = ?');
  const selectIds = db.prepare('SELECT id FROM s3_blob');
  for (let shard = 0; shard < 256; shard += 1)
    mkdirSync(join(folder, shard.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(folder, name.slice(0, 2), name);
  const newName = (): string => randomUUID().replaceAll('-', '');
  const holds = new Map<string, number>();
  const doomed = new Set<string>();

  const rowOf = (name: string): number | null => (name.startsWith(ROW) ? Number(name.slice(ROW.length)) : null);

  const unlink = (name: string): void => {
    const row = rowOf(name);
    if (row !== null) {
      deleteRow.run(row);
      return;
    }
    try {
      unlinkSync(pathOf(name));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  };

  const read = (name: string, offset: number, length: number): Buffer => {
    const row = rowOf(name);
    if (row !== null) {
      const bytes = selectRow.get(offset, length, row)?.bytes;
      if (!(bytes instanceof Uint8Array) || bytes.byteLength !== length) throw shorter(name);
      return Buffer.from(bytes.buffer, bytes.byteOffset, length);
    }
    const bytes = Buffer.allocUnsafe(length);
    const descriptor = openSync(pathOf(name), 'r');
    try {
      for (let at = 0; at < length; ) {
        const count = readSync(descriptor, bytes, at, length - at, offset + at);
        if (count === 0) throw shorter(name);
        at += count;
      }
    } finally {
      closeSync(descriptor);
    }
    return bytes;
  };

  return {
    write(bytes) {
      if (bytes.length <= rowBytes) return `${ROW}${insertRow.run(bytes).lastInsertRowid}`;
      const name = newName();
      const descriptor = openSync(pathOf(name), 'wx', 0o600);
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      } finally {
        closeSync(descriptor);
      }
      return name;
    },
    async create() {
      const name = newName();
      return { name, handle: await open(pathOf(name), 'wx', 0o600) };
    },
    reserve() {
      const name = newName();
      closeSync(openSync(pathOf(name), 'wx', 0o600));
      return { name, path: pathOf(name) };
    },
    pathOf: (name) => (rowOf(name) === null ? pathOf(name) : null),
    read,
    async open(name) {
      if (rowOf(name) !== null) return { read: async (offset, length) => read(name, offset, length), async close() {} };
      const handle = await open(pathOf(name), 'r');
      return {
        async read(offset, length) {
          const chunk = Buffer.allocUnsafe(length);
          const { bytesRead } = await handle.read(chunk, 0, length, offset);
          if (bytesRead === 0) throw shorter(name);
          return chunk.subarray(0, bytesRead);
        },
        close: () => handle.close(),
      };
    },
    hold(names) {
      for (const name of names) holds.set(name, (holds.get(name) ?? 0) + 1);
      return () => {
        for (const name of names) {
          const left = (holds.get(name) ?? 1) - 1;
          if (left > 0) holds.set(name, left);
          else holds.delete(name);
          if (left === 0 && doomed.delete(name)) unlink(name);
        }
      };
    },
    remove(names) {
      for (const name of names) {
        if (holds.has(name)) doomed.add(name);
        else unlink(name);
      }
    },
    sweep(isReferenced) {
      for (const { id } of selectIds.all()) {
        if (!isReferenced(`${ROW}${id}`)) deleteRow.run(Number(id));
      }
      for (const shard of readdirSync(folder)) {
        for (const name of readdirSync(join(folder, shard))) {
          if (!isReferenced(name)) rmSync(join(folder, shard, name));
        }
      }
    },
  };
}

function shorter(name: string): Error {
  return new Error(`fewer bytes are stored than the object has: ${name}`);
}
