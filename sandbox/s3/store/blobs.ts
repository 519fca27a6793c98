/** The files that hold (encrypted) bytes. Their names are random: no key, and nothing about an object, ever is a file name. */
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

export interface Blobs {
  /** Writes a small file in one go and gives its name. */
  write(bytes: Buffer): string;
  /** A new file to write a large body to; whoever creates it closes it. */
  create(): Promise<{ name: string; handle: FileHandle }>;
  /** Reads `length` bytes from `offset` on. Throws when the file is shorter. */
  read(name: string, offset: number, length: number): Buffer;
  open(name: string): Promise<FileHandle>;
  /** Keeps files that are being read: those that are removed meanwhile go when the returned function is called. */
  hold(names: string[]): () => void;
  remove(names: string[]): void;
  /** Removes every file that `isReferenced` does not know: what a killed process left behind. */
  sweep(isReferenced: (name: string) => boolean): void;
}

export function openBlobs(folder: string): Blobs {
  for (let shard = 0; shard < 256; shard += 1)
    mkdirSync(join(folder, shard.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 });
  const pathOf = (name: string): string => join(folder, name.slice(0, 2), name);
  const newName = (): string => randomUUID().replaceAll('-', '');
  const holds = new Map<string, number>();
  const doomed = new Set<string>();

  const unlink = (name: string): void => {
    try {
      unlinkSync(pathOf(name));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  };

  return {
    write(bytes) {
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
    read(name, offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      const descriptor = openSync(pathOf(name), 'r');
      try {
        for (let at = 0; at < length; ) {
          const read = readSync(descriptor, bytes, at, length - at, offset + at);
          if (read === 0) throw new Error(`a stored file is shorter than its object: ${name}`);
          at += read;
        }
      } finally {
        closeSync(descriptor);
      }
      return bytes;
    },
    open: (name) => open(pathOf(name), 'r'),
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
      for (const shard of readdirSync(folder)) {
        for (const name of readdirSync(join(folder, shard))) {
          if (!isReferenced(name)) rmSync(join(folder, shard, name));
        }
      }
    },
  };
}
