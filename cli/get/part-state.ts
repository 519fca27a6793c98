/** What `FILE.part.json` says: which state of which object `FILE.part` is of, and what of it is there. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { countParts } from './parts.ts';
import type { RemoteObject } from './remote-object.ts';

const VERSION = 1;
const count = z.number().check(z.int(), z.nonnegative());

const stateSchema = z.strictObject({
  version: z.literal(VERSION),
  key: z.string(),
  etag: z.string(),
  versionId: z.nullable(z.string()),
  length: count,
  partBytes: count.check(z.positive()),
  /** Which file it is that was written: another may have taken its place. */
  file: z.string(),
  /** From a first to a last index, inclusive. */
  done: z.array(z.tuple([count, count])),
});

/** One byte a part: an object of 48.8 TiB has ten million. */
export interface PartState {
  partBytes: number;
  /** As `fileId` has it. */
  file: string;
  /** 1: it is there. */
  done: Uint8Array;
}

/** @returns `null`: there is none, or it is of something else */
export async function readState(path: string, object: RemoteObject): Promise<PartState | null> {
  const state = stateSchema.safeParse(await readJson(path)).data;
  if (state === undefined) return null;
  const { key, etag, versionId, length, partBytes, file } = state;
  if (key !== object.key || etag !== object.etag || versionId !== object.versionId || length !== object.length) return null;
  const done = new Uint8Array(countParts(length, partBytes));
  for (const [first, last] of state.done) done.fill(1, first, last + 1);
  return { partBytes, file, done };
}

/** In one step, so that who is killed leaves the old one or the new one. */
export async function writeState(
  path: string,
  { key, etag, versionId, length }: RemoteObject,
  { partBytes, file, done }: PartState,
): Promise<void> {
  const state: z.infer<typeof stateSchema> = { version: VERSION, key, etag, versionId, length, partBytes, file, done: runsOf(done) };
  const next = `${path}.${process.pid}`;
  try {
    await writeFile(next, `${JSON.stringify(state)}\n`);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

function runsOf(done: Uint8Array): [number, number][] {
  const runs: [number, number][] = [];
  for (let first = done.indexOf(1); first !== -1; ) {
    const end = done.indexOf(0, first);
    runs.push([first, (end === -1 ? done.length : end) - 1]);
    first = end === -1 ? -1 : done.indexOf(1, end);
  }
  return runs;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    // Whatever is no state is no state of this object.
    if (error instanceof SyntaxError || isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
