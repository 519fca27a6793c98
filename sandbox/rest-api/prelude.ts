/** The beginning of a streamed answer: JSON with status and headers, eight zero bytes, then the body. */
import type { Readable } from 'node:stream';
import { type ResponseHead, responseHead } from './response-head.ts';

const DELIMITER = Buffer.alloc(8);
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html */
const MAX_PRELUDE = 16 * 1024;

/**
 * Reads the prelude and leaves the rest in `body`, whose next chunk is the first of the response's body.
 * `null` when the bytes are no prelude, whatever the reason; rejects when the stream fails.
 */
export async function readPrelude(body: Readable): Promise<ResponseHead | null> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length <= MAX_PRELUDE + DELIMITER.length) {
    const chunk = await nextChunk(body);
    if (chunk === null) return null;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf(DELIMITER);
    if (end > MAX_PRELUDE) return null;
    if (end < 0) continue;
    const rest = bytes.subarray(end + DELIMITER.length);
    if (rest.length > 0) body.unshift(rest);
    return parseHead(bytes.subarray(0, end));
  }
  return null;
}

function parseHead(bytes: Buffer): ResponseHead | null {
  try {
    return responseHead(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
}

function nextChunk(body: Readable): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const take = () => {
      const chunk: Buffer | null = body.read();
      if (chunk !== null) settle(() => resolve(chunk));
    };
    const onEnd = () => settle(() => resolve(null));
    const onError = (error: Error) => settle(() => reject(error));
    const settle = (done: () => void) => {
      body.off('readable', take).off('end', onEnd).off('error', onError);
      done();
    };
    if (body.errored) {
      reject(body.errored);
      return;
    }
    body.on('readable', take).on('end', onEnd).on('error', onError);
    take();
  });
}
