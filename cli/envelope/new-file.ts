/** A file that is there whole, or not at all. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { isMissing } from '../get/part-state.ts';

/** Decrypted bytes are for who decrypted them. */
const PRIVATE = 0o600;
/** Windows has no such flag. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** What a file system says that has no links. */
const NO_LINKS = new Set<unknown>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Writes beside the file, and moves it there once the chunks have come to their end and are on the disk. Whatever fails, nothing stays, and a
 * file that was there is as it was.
 * @returns bytes
 * @throws Failure: a file is there, unless `overwrite`; what the file system says, and what the chunks throw; the signal's reason
 */
export async function writeNewFile(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  { overwrite, signal }: { overwrite: boolean; signal: AbortSignal },
): Promise<number> {
  const beside = join(dirname(file), `.sealdrop-${randomBytes(8).toString('hex')}`);
  const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, PRIVATE);
  try {
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        signal.throwIfAborted();
        await writeAll(handle, chunk);
        bytes += chunk.length;
      }
      signal.throwIfAborted();
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (overwrite) await rename(beside, file);
    else await moveBeside(beside, file);
    return bytes;
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}

/** A link is refused where a file is there by now; a rename would replace it. */
async function moveBeside(from: string, file: string): Promise<void> {
  try {
    await link(from, file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' || (NO_LINKS.has(code) && (await isThere(file))))
      throw new Failure(`${file} is there already.`, { nextStep: `--force overwrites it; or say another TARGET than ${basename(file)}.` });
    if (!NO_LINKS.has(code)) throw error;
    return rename(from, file);
  }
  await rm(from);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}
