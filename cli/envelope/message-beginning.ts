/** Messages that nothing says to be ones: where an object is copied with other metadata, its Content-Encoding is lost. */
import { Failure } from '../failure.ts';

/**
 * Version and algorithm suite; of version 1 the type, and a suite of AES-GCM.
 * @see https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html#header-structure
 */
const BEGINNING = /^(?:02(?:04|05)78|0180(?:00|01|02|03)(?:14|46|78))/;
const BEGINNING_BYTES = 4;

/**
 * The same chunks.
 * @param name of the object
 * @param mode under which S3 holds it
 * @throws Failure, before anything is given out: they begin as a message of the Encryption SDK does; what the chunks throw
 */
export async function* refuseMessage(chunks: AsyncIterable<Buffer>, name: string, mode: string): AsyncGenerator<Buffer> {
  let beginning: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (beginning === null) {
      yield chunk;
      continue;
    }
    beginning = beginning.length === 0 ? chunk : Buffer.concat([beginning, chunk]);
    if (beginning.length < BEGINNING_BYTES) continue;
    if (BEGINNING.test(beginning.toString('hex', 0, BEGINNING_BYTES))) throw looksLikeMessage(name, mode);
    yield beginning;
    beginning = null;
  }
  // Too short for a message.
  if (beginning !== null && beginning.length > 0) yield beginning;
}

function looksLikeMessage(name: string, mode: string): Failure {
  return new Failure(`${name} looks like a message of the Encryption SDK, which its Content-Encoding does not say.`, {
    nextStep: `Say --mode cse-kms or --mode cse-aes to decrypt it, or --mode ${mode} to take it as it is.`,
  });
}
