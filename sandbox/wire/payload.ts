/** The payload as `x-amz-content-sha256` describes it, checked while it streams. */
import { createHash, hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { AwsError } from '../aws-error.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import { type Claim, sameSignature } from './sigv4.ts';

/** The largest request of a service other than S3: a Lambda package of 50 MB as base64. */
const MAX_BUFFERED_BYTES = 70 * 1024 * 1024;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const EMPTY_SHA256 = hash('sha256', '');

export interface Payload {
  body: Readable;
  trailers: Record<string, string>;
  /** After decoding; `null` when the client did not say. */
  contentLength: number | null;
}

/**
 * Streams the body of an S3 request, checked against what was signed. Throws AwsError when the head alone shows that it
 * cannot be right; later failures are errors of `body`.
 * @param claim `null` for a request without a signature, whose body is taken as it is
 */
export function streamPayload(request: IncomingMessage, claim: Claim | null): Payload {
  const declared = request.headers['x-amz-content-sha256'];
  if (claim !== null && typeof declared !== 'string') {
    throw new AwsError(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const type = typeof declared === 'string' ? declared : 'UNSIGNED-PAYLOAD';
  if (type.startsWith('STREAMING-')) return framedPayload(request, claim, type);
  const contentLength = plainLength(request);
  if (type === 'UNSIGNED-PAYLOAD') {
    return { body: contentLength === 0 ? emptyBody() : follow(request, new Transform({ transform: pass })), trailers: {}, contentLength };
  }
  if (!SHA256_HEX.test(type)) {
    throw new AwsError(
      400,
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.',
      { ArgumentName: 'x-amz-content-sha256', ArgumentValue: type },
    );
  }
  if (contentLength === 0) {
    if (!sameSignature(EMPTY_SHA256, type)) throw hashMismatch(type, EMPTY_SHA256);
    return { body: emptyBody(), trailers: {}, contentLength };
  }
  return { body: follow(request, hashChecked(type)), trailers: {}, contentLength };
}

/** Reads the whole body of any other service: its hash is part of what was signed. Throws AwsError when it is too large or cut off. */
export async function bufferPayload(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BUFFERED_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    // The only failure of a request that is being read: the client hung up.
    throw incomplete();
  }
  if (length > MAX_BUFFERED_BYTES) {
    throw new AwsError(413, 'RequestEntityTooLargeException', `Request must be smaller than ${MAX_BUFFERED_BYTES} bytes.`);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** A stream of one buffer. */
export function bodyOf(bytes: Buffer): Readable {
  return new Readable({
    read() {
      if (bytes.length > 0) this.push(bytes);
      this.push(null);
    },
  });
}

function framedPayload(request: IncomingMessage, claim: Claim | null, type: string): Payload {
  const signed = type.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  const known = ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];
  if (!known.includes(type)) throw new AwsError(501, 'NotImplemented', `The sandbox does not implement the payload type ${type}.`);
  if (signed && claim === null) throw new AwsError(403, 'AccessDenied', 'Access Denied');
  const decoded = request.headers['x-amz-decoded-content-length'];
  if (typeof decoded !== 'string' || !/^\d{1,15}$/.test(decoded)) {
    throw new AwsError(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const decodedLength = Number(decoded);
  const trailers: Record<string, string> = {};
  const decoder = decodeAwsChunked({
    signing: signed && claim ? signingOf(claim) : null,
    decodedLength,
    trailerNames: type.endsWith('-TRAILER') ? listOf(request.headers['x-amz-trailer']) : null,
    trailers,
  });
  return { body: follow(request, decoder), trailers, contentLength: decodedLength };
}

function signingOf({ signingKey, time, authorization }: Claim) {
  return {
    signingKey,
    time: time.text,
    scope: authorization.scope,
    seedSignature: authorization.signature,
    accessKeyId: authorization.accessKeyId,
  };
}

function listOf(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

function plainLength(request: IncomingMessage): number | null {
  if (request.headers['content-length'] !== undefined) return Number(request.headers['content-length']);
  return request.headers['transfer-encoding'] === undefined ? 0 : null;
}

/**
 * Pipes the request into `stream` without tying their ends: destroying the request would cut the connection and with it
 * the answer that says what was wrong.
 */
function follow(request: IncomingMessage, stream: Transform): Readable {
  request.once('close', () => {
    if (!request.complete) stream.destroy(incomplete());
  });
  // The consumer may not listen (it answered already); an error must not end the process then.
  stream.on('error', () => request.unpipe(stream));
  return request.pipe(stream);
}

function pass(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, data: Buffer) => void): void {
  done(null, chunk);
}

function hashChecked(expected: string): Transform {
  const digest = createHash('sha256');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const actual = digest.digest('hex');
      done(sameSignature(actual, expected) ? null : hashMismatch(expected, actual));
    },
  });
}

function emptyBody(): Readable {
  return bodyOf(Buffer.alloc(0));
}

function hashMismatch(client: string, computed: string): AwsError {
  return new AwsError(400, 'XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
    ClientComputedContentSHA256: client,
    S3ComputedContentSHA256: computed,
  });
}

function incomplete(): AwsError {
  return new AwsError(400, 'IncompleteBody', 'The request body terminated unexpectedly');
}
