/**
 * The `aws-chunked` framing of uploads, removed and verified as it streams.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { AwsError } from '../aws-error.ts';
import { refuse } from './signature-errors.ts';
import { sameSignature, sign } from './sigv4.ts';

/** S3 takes smaller chunks only at the end. */
export const MIN_CHUNK_BYTES = 8192;
/** A chunk header or trailer line is far shorter; anything longer is no framing. */
const MAX_LINE_BYTES = 16 * 1024;
const CHUNK_HEADER = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/;
const TRAILER_LINE = /^([a-zA-Z0-9-]+):(.*)$/;
const EMPTY_SHA256 = hash('sha256', '');
const LF = 0x0a;

/** How the chunks are chained to the signature of the head. */
export interface ChunkSigning {
  signingKey: Buffer;
  /** ISO 8601 basic format, as in the string to sign. */
  time: string;
  scope: string;
  seedSignature: string;
  accessKeyId: string;
}

export interface ChunkedOptions {
  /** `null`: chunks carry no signature (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`). */
  signing: ChunkSigning | null;
  /** Of the payload without framing, from `x-amz-decoded-content-length`. */
  decodedLength: number;
  /** Lower-cased names announced by `x-amz-trailer`; `null` when the payload type has no trailer. */
  trailerNames: string[] | null;
  /** Filled with the trailing headers before the stream ends. */
  trailers: Record<string, string>;
}

type Stage = 'chunk-header' | 'chunk-data' | 'chunk-end' | 'trailer' | 'done';

/**
 * A transform from framed to plain bytes. Its error is an AwsError: `SignatureDoesNotMatch`, `InvalidChunkSizeError`,
 * `MalformedTrailerError`, `IncompleteBody`. Bytes flow before their chunk's signature is known: keep nothing until it ends.
 */
export function decodeAwsChunked({ signing, decodedLength, trailerNames, trailers }: ChunkedOptions): Transform {
  let stage: Stage = 'chunk-header';
  let line = '';
  let remaining = 0;
  let total = 0;
  let chunkNumber = 0;
  let previousSize = MIN_CHUNK_BYTES;
  let chunkSignature = '';
  let chunkHash: Hash | null = null;
  let previousSignature = signing?.seedSignature ?? '';
  let signedTrailer = '';
  let trailerSignature: string | null = null;

  const onLine: Record<Exclude<Stage, 'chunk-data'>, (text: string) => void> = {
    'chunk-header': beginChunk,
    'chunk-end': (text) => {
      if (text !== '') throw malformed();
      stage = 'chunk-header';
    },
    trailer: (text) => (text === '' ? finish() : readTrailer(text)),
    done: () => {
      throw malformed();
    },
  };

  function beginChunk(text: string): void {
    const [, size, signature] = CHUNK_HEADER.exec(text) ?? [];
    if (size === undefined || (signing && signature === undefined)) throw malformed();
    remaining = Number.parseInt(size, 16);
    total += remaining;
    if (total > decodedLength) throw malformed();
    chunkNumber += 1;
    if (remaining > 0 && previousSize < MIN_CHUNK_BYTES) throw chunkTooSmall(chunkNumber, previousSize);
    previousSize = remaining;
    chunkSignature = signature ?? '';
    chunkHash = signing ? createHash('sha256') : null;
    if (remaining > 0) stage = 'chunk-data';
    else {
      verifyChunk();
      stage = 'trailer';
    }
  }

  function verifyChunk(): void {
    if (!signing || !chunkHash) return;
    const { time, scope } = signing;
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${time}\n${scope}\n${previousSignature}\n${EMPTY_SHA256}\n${chunkHash.digest('hex')}`;
    verify(text, chunkSignature);
    previousSignature = chunkSignature;
  }

  function readTrailer(text: string): void {
    // The examples of AWS end a trailer's value with LF before CRLF; some clients follow them.
    const [, name, value] = TRAILER_LINE.exec(text.replace(/\n$/, '')) ?? [];
    if (name === undefined || value === undefined || trailerNames === null) throw malformedTrailer();
    const lowerCased = name.toLowerCase();
    if (signing && lowerCased === 'x-amz-trailer-signature') {
      trailerSignature = value.trim();
      return;
    }
    if (!trailerNames.includes(lowerCased) || lowerCased in trailers || trailerSignature !== null) throw malformedTrailer();
    trailers[lowerCased] = value.trim();
    signedTrailer += `${lowerCased}:${value.trim()}\n`;
  }

  function finish(): void {
    if (total !== decodedLength) throw malformed();
    if (trailerNames?.some((name) => !(name in trailers))) throw malformedTrailer();
    if (signing && trailerNames !== null) {
      if (trailerSignature === null) throw malformedTrailer();
      const { time, scope } = signing;
      verify(`AWS4-HMAC-SHA256-TRAILER\n${time}\n${scope}\n${previousSignature}\n${hash('sha256', signedTrailer)}`, trailerSignature);
    }
    stage = 'done';
  }

  function verify(stringToSign: string, signature: string): void {
    if (!signing || sameSignature(sign(signing.signingKey, stringToSign), signature)) return;
    throw refuse('rest-xml', { kind: 'mismatch', accessKeyId: signing.accessKeyId, stringToSign, signature });
  }

  /** Takes bytes up to the end of the current line or chunk; returns the offset behind them. */
  function consume(bytes: Buffer, offset: number, push: (data: Buffer) => void): number {
    if (stage === 'chunk-data') {
      const data = bytes.subarray(offset, offset + remaining);
      chunkHash?.update(data);
      push(data);
      remaining -= data.length;
      if (remaining === 0) {
        verifyChunk();
        stage = 'chunk-end';
      }
      return offset + data.length;
    }
    const end = endOfLine(bytes, offset, line);
    line += bytes.toString('latin1', offset, end ?? bytes.length);
    if (line.length > MAX_LINE_BYTES) throw malformed();
    if (end === null) return bytes.length;
    const text = line.slice(0, -2);
    line = '';
    onLine[stage](text);
    return end;
  }

  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      try {
        let offset = 0;
        while (offset < bytes.length) offset = consume(bytes, offset, (data) => this.push(data));
        done();
      } catch (error) {
        done(asError(error));
      }
    },
    flush(done) {
      done(stage === 'done' && line === '' ? null : malformed());
    },
  });
}

/** Offset behind the next CRLF, `null` when it is not in these bytes; `line` is what came of the line before them. */
function endOfLine(bytes: Buffer, offset: number, line: string): number | null {
  for (let index = bytes.indexOf(LF, offset); index !== -1; index = bytes.indexOf(LF, index + 1)) {
    const before = index > offset ? bytes[index - 1] : line.charCodeAt(line.length - 1);
    if (before === 0x0d) return index + 1;
  }
  return null;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('aws-chunked decoding failed', { cause: error });
}

function malformed(): AwsError {
  return new AwsError(400, 'IncompleteBody', 'The request body terminated unexpectedly');
}

function malformedTrailer(): AwsError {
  return new AwsError(
    400,
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function chunkTooSmall(chunk: number, size: number): AwsError {
  return new AwsError(403, 'InvalidChunkSizeError', `Only the last chunk is allowed to have a size less than ${MIN_CHUNK_BYTES} bytes`, {
    Chunk: String(chunk),
    BadChunkSize: String(size),
  });
}
