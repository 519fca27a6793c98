/** `FILE.part`: an object that is being fetched, until it is proven and put in its place. */
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { isMissing, type PartState, readState, writeState } from './part-state.ts';
import { countParts, type Part, partAt, sizeOf } from './parts.ts';
import type { RemoteObject } from './remote-object.ts';

const READ_BYTES = 1024 * 1024;
/** Decrypted bytes are for who fetched them. */
const PRIVATE = 0o600;
/** Windows has no such flag. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** Everything throws what the file system says. */
export interface PartFile {
  /** What another run fetched of the same state. */
  readonly resumedBytes: number;
  /** Parts that are not there yet, in order; each is given once. */
  missing(): Generator<Part, void, undefined>;
  write(chunk: Buffer, position: number): Promise<void>;
  /** The whole part was written; its being there is recorded soon, and not before its bytes are on the disk. */
  finished(part: Part): void;
  /** Resolves when the record says all that is there. */
  recorded(): Promise<void>;
  /** All of it, in order. A chunk is good until the next. */
  read(): AsyncGenerator<Buffer, void, undefined>;
  /** @throws Failure: `file` is there, unless `overwrite`; or this file is not the one at its path any more */
  moveTo(file: string, overwrite: boolean): Promise<void>;
  /** It and its record are gone. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

export function partPaths(file: string): { part: string; state: string } {
  return { part: `${file}.part`, state: `${file}.part.json` };
}

/**
 * Goes on with what is there of this state of the object, and else begins anew.
 * @param partBytes for a new one; an older one keeps its own
 */
export async function openPartFile(file: string, object: RemoteObject, partBytes: number): Promise<PartFile> {
  const paths = partPaths(file);
  const resumed = await resume(paths, object);
  const { handle, state } = resumed ?? (await begin(paths, object, partBytes));
  const { done } = state;
  let changes = 0;
  let recording: Promise<void> = Promise.resolve();

  async function record(): Promise<void> {
    // Another finished part since is in this record as well.
    const upTo = changes;
    if (upTo === 0) return;
    const snapshot = { ...state, done: done.slice() };
    await handle.datasync();
    // A record beside a file that somebody else began would say of theirs what is true of this one.
    await refuseAnother(handle, paths.part);
    await writeState(paths.state, object, snapshot);
    changes -= upTo;
  }

  return {
    resumedBytes: presentBytes(object, state),
    *missing() {
      for (let index = done.indexOf(0); index !== -1; index = done.indexOf(0, index + 1))
        yield partAt(index, object.length, state.partBytes);
    },
    async write(chunk, position) {
      let written = 0;
      while (written < chunk.length) {
        written += (await handle.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
      }
    },
    finished({ index }) {
      done[index] = 1;
      changes += 1;
      recording = recording.then(record);
      // Whoever waits for the record is told.
      recording.catch(() => {});
    },
    recorded: () => recording,
    async *read() {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      for (let position = 0; ; ) {
        const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, position);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
        position += bytesRead;
      }
    },
    async moveTo(target, overwrite) {
      await handle.sync();
      await refuseAnother(handle, paths.part);
      if (overwrite) await rename(paths.part, target);
      else await moveBeside(paths.part, target);
      await rm(paths.state, { force: true });
    },
    async discard() {
      await Promise.all([paths.part, paths.state].map((path) => rm(path, { force: true })));
    },
    close: () => handle.close(),
  };
}

async function resume(
  paths: { part: string; state: string },
  object: RemoteObject,
): Promise<{ handle: FileHandle; state: PartState } | null> {
  const state = await readState(paths.state, object);
  if (state === null) return null;
  let handle: FileHandle;
  try {
    handle = await open(paths.part, constants.O_RDWR | NO_FOLLOW);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const { size, ...found } = await handle.stat();
  const last = state.done.lastIndexOf(1);
  const needed = last === -1 ? 0 : partAt(last, object.length, state.partBytes).last + 1;
  // Somebody cut it: who knows what else was done to it.
  if (size >= needed && size <= object.length && fileId(found) === state.file) return { handle, state };
  await handle.close();
  return null;
}

/** Never into a file that is there: another run may still write into it. */
async function begin(
  paths: { part: string; state: string },
  object: RemoteObject,
  partBytes: number,
): Promise<{ handle: FileHandle; state: PartState }> {
  await Promise.all([paths.part, paths.state].map((path) => rm(path, { force: true })));
  const handle = await open(paths.part, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, PRIVATE);
  const state = { partBytes, file: fileId(await handle.stat()), done: new Uint8Array(countParts(object.length, partBytes)) };
  await writeState(paths.state, object, state);
  return { handle, state };
}

function presentBytes({ length }: RemoteObject, { partBytes, done }: PartState): number {
  return done.reduce((sum, there, index) => (there === 1 ? sum + sizeOf(partAt(index, length, partBytes)) : sum), 0);
}

function fileId({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}:${ino}`;
}

/** What was proven is what is open here. */
async function refuseAnother(handle: FileHandle, path: string): Promise<void> {
  const there = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (there !== null && fileId(await handle.stat()) === fileId(there)) return;
  throw new Failure(`${path} was replaced while this ran.`, { nextStep: 'Does another sealdrop get fetch to the same file? Wait for it.' });
}

/** A link is refused where a file is there by now; a rename would replace it. */
async function moveBeside(part: string, target: string): Promise<void> {
  try {
    await link(part, target);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new Failure(`${target} came into being while this ran.`, { nextStep: '--force overwrites it.' });
    // Not every file system has links.
    return rename(part, target);
  }
  await rm(part);
}
