/** Where the bytes come from: a file, or standard input. */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import { errorMessage } from '../sdk-error.ts';

export const STDIN = '-';

export interface Source {
  /** Bytes; `null`: nobody knows before the end. */
  readonly size: number | null;
  /** Fills `buffer` with what comes next. One call at a time. @returns bytes; fewer than fit only at the end */
  fill(buffer: Buffer): Promise<number>;
  /** @throws Failure: it is not what it was when it was opened */
  requireUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** @throws Failure: it cannot be read */
export async function openFile(path: string): Promise<Source> {
  const handle = await open(path).catch((cause: unknown) => {
    throw new Failure(`${path} cannot be read (${errorMessage(cause)}).`, { exitCode: 2, cause });
  });
  const before = await handle.stat();
  if (!before.isFile()) {
    await handle.close();
    throw new Failure(`${path} is no file.`, { nextStep: 'Name one file; what comes out of a pipe goes by FILE -.', exitCode: 2 });
  }
  let position = 0;
  return {
    size: before.size,
    async fill(buffer) {
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position);
        if (bytesRead === 0) break;
        filled += bytesRead;
        position += bytesRead;
      }
      return filled;
    },
    async requireUnchanged() {
      const { size, mtimeMs } = await handle.stat();
      if (size === before.size && mtimeMs === before.mtimeMs && position === size) return;
      throw new Failure(`${path} changed while it was read: nothing was put.`, { nextStep: 'Run the same command once nobody writes it.' });
    },
    close: () => handle.close(),
  };
}

export function openStream(stream: Readable): Source {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return {
    size: null,
    async fill(buffer) {
      let filled = 0;
      while (filled < buffer.length) {
        if (rest.length === 0) {
          const next = await chunks.next();
          if (next.done) break;
          rest = next.value;
        }
        const copied = rest.copy(buffer, filled);
        rest = rest.subarray(copied);
        filled += copied;
      }
      return filled;
    },
    requireUnchanged: async () => {},
    close: async () => void stream.destroy(),
  };
}
