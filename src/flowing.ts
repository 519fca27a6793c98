/** A stream that is made of another one. */
import { Readable } from 'node:stream';

/** Whoever ends it ends its source, too: at once, also while the source has nothing to give. */
export function flowing(chunks: AsyncGenerator<Buffer>, source: Readable): Readable {
  const made = Readable.from(chunks, { objectMode: false });
  const endChunks = made._destroy.bind(made);
  // Ended alone, the chunks would wait for what they have asked the source for: https://nodejs.org/api/stream.html#readable_destroyerr-callback
  made._destroy = (error, callback) => {
    source.destroy();
    endChunks(error, callback);
  };
  return made;
}
