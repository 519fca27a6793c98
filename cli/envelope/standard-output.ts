/** Bytes to standard output as they come. */
import type { Writable } from 'node:stream';
import { Failure } from '../failure.ts';
import { errorMessage } from '../sdk-error.ts';

const NOT_WHOLE = 'What came on standard output is not the whole: it is its beginning at most.';

/**
 * What was written before a failure is a beginning of the whole, and the failure says so; the stream is left open.
 * @returns bytes
 * @throws Failure where the stream was closed; what the chunks throw; the signal's reason
 */
export async function writeOut(out: Writable, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  let written = 0;
  // A reader that goes away is told of by an event as well, whenever.
  const ignore = () => {};
  out.on('error', ignore);
  try {
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      await write(out, chunk, signal);
      written += chunk.length;
    }
    return written;
  } catch (error) {
    const failure = out.errored ? closed(out.errored) : error;
    throw written === 0 ? failure : new Incomplete(failure);
  }
}

/** Something of it was given out, and the rest will not be. */
export class Incomplete extends Error {
  readonly left = NOT_WHOLE;

  constructor(cause: unknown) {
    super('standard output ends too early', { cause });
  }
}

/** Whoever reads the stream may stand still for ever: the signal is waited for as well. */
function write(out: Writable, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    out.write(bytes, (error) => {
      signal.removeEventListener('abort', abort);
      if (error) reject(closed(error));
      else resolve();
    });
  });
}

function closed(cause: Error): Failure {
  return new Failure(`Standard output was closed before the end (${errorMessage(cause)}).`, { cause });
}
