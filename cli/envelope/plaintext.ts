/** Bytes of a file or of standard input, in order. */
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Failure } from '../failure.ts';
import { openFile, openStream, type Source } from '../put/source.ts';
import type { FilePlace } from './place.ts';

/** As many as a frame has, so that a frame of a file is one piece. */
const CHUNK_BYTES = 1024 * 1024;

/** @throws Failure: it cannot be read, or is no file */
export async function openSource(place: { kind: 'pipe' } | FilePlace, stdin: Readable): Promise<Source> {
  if (place.kind === 'pipe') return openStream(stdin);
  const found = await stat(place.path).catch(() => null);
  if (found?.isDirectory())
    throw new Failure(`${place.path} is a folder.`, { nextStep: 'Say --recursive for all that is in it.', exitCode: 2 });
  return openFile(place.path);
}

/**
 * Each chunk is the reader's own. Closes the source, also where it is not read to its end.
 * @param count is told of bytes
 * @throws Failure: the source is not what it was when it was opened; the signal's reason
 */
export async function* bytesOf(source: Source, signal: AbortSignal, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  // Who waits for standard input waits for somebody else.
  const close = () => void source.close().catch(() => {});
  signal.addEventListener('abort', close, { once: true });
  try {
    for (let left = source.size ?? Number.POSITIVE_INFINITY; ; ) {
      signal.throwIfAborted();
      // One more than there should be, so that a file that grew is seen.
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left + 1));
      const filled = await source.fill(chunk);
      if (filled > 0) {
        count(filled);
        yield chunk.subarray(0, filled);
      }
      left -= filled;
      if (filled < chunk.length || left < 0) break;
    }
    signal.throwIfAborted();
    await source.requireUnchanged();
  } finally {
    signal.removeEventListener('abort', close);
    await source.close();
  }
}
