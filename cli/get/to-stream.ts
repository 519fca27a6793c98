/** An object into a stream, in order; parts that are ahead of it wait in memory. */
import type { Writable } from 'node:stream';
import type { Api } from '../api/api.ts';
import { Failure } from '../failure.ts';
import { errorMessage } from '../sdk-error.ts';
import { startVerification } from './checksum.ts';
import { fetchPart } from './fetch-part.ts';
import type { Downloaded, DownloadOptions } from './options.ts';
import { countParts, partAt, sizeOf } from './parts.ts';
import type { RemoteObject } from './remote-object.ts';
import { otherBytes } from './worthless.ts';

/**
 * Holds `parallel` parts at most. What was written before a failure is the beginning of the object, and nothing else; the stream is left open.
 * @param out has done with bytes once it says that they are written
 * @throws Failure: Worthless (another state, other bytes), Refusal, Unanswered, a stream that was closed; the signal's reason
 */
export async function downloadToStream(api: Api, object: RemoteObject, out: Writable, options: DownloadOptions): Promise<Downloaded> {
  const { partBytes, parallel, signal, progress } = options;
  const shown = progress('fetching', object.length, 0);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  let bytes = 0;
  const count = (more: number) => {
    bytes += more;
    shown.update(bytes);
  };
  // A reader that goes away is told of by an event as well, whenever.
  out.on('error', () => stop.abort());

  // Used again and again: buffers of this size are collected late.
  const slots: Buffer[] = [];
  const fetchWhole = async (index: number) => {
    const part = partAt(index, object.length, partBytes);
    const slot = index % parallel;
    slots[slot] ??= Buffer.allocUnsafe(Math.min(partBytes, object.length));
    const buffer = slots[slot].subarray(0, sizeOf(part));
    await fetchPart(api, object, part, (chunk, offset) => void chunk.copy(buffer, offset), { signal: ended, count });
    return buffer;
  };

  const verification = startVerification(object);
  const ahead: Promise<Buffer>[] = [];
  let written = 0;
  const parts = countParts(object.length, partBytes);
  let next = 0;
  try {
    while (next < parts || ahead.length > 0) {
      while (next < parts && ahead.length < parallel) ahead.push(quietly(fetchWhole(next++)));
      // It counts as one of those in memory until it is written.
      const buffer = (await ahead[0]) ?? Buffer.alloc(0);
      await Promise.race([write(out, buffer), aborted(ended)]);
      written += buffer.length;
      verification.update(buffer);
      ahead.shift();
    }
  } catch (error) {
    throw withBeginning(out.errored === null ? error : closed(out.errored), written);
  } finally {
    stop.abort();
    await Promise.allSettled(ahead);
    shown.clear();
  }
  const proof = await verification.end();
  if (proof === null) throw withBeginning(otherBytes(object), written);
  return { proof, resumedBytes: 0 };
}

/** Whoever reads the stream has had that much. */
function withBeginning(error: unknown, written: number): unknown {
  if (error instanceof Failure && written > 0) error.left = 'What came on standard output is not the object, but its beginning at most.';
  return error;
}

/** Its failure counts when its turn comes. */
function quietly<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}

/** Whoever reads the stream may stand still for ever. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function write(out: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(bytes, (error) => (error ? reject(closed(error)) : resolve()));
  });
}

function closed(cause: unknown): Failure {
  return new Failure(`Standard output was closed before the end (${errorMessage(cause)}).`, { cause });
}
