/** `awslambda.streamifyResponse` and `awslambda.HttpResponseStream`, as the Node.js runtime has them. Runs inside the worker. */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type FromWorker, STREAM_WINDOW } from './protocol.ts';

const HANDLER_STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';
const DELIMITER_LENGTH = 8;

type Post = (message: FromWorker, transfer: ArrayBuffer[]) => void;

/** What the handler gets as its second argument, and what the worker needs to know of it. */
export interface ResponseStream {
  writable: LambdaWritable;
  contentType(): string;
  /** Settles when the stream has ended or failed. */
  finished: Promise<void>;
  /** The reader took so many bytes. */
  consumed(bytes: number): void;
}

/**
 * The prelude hangs on the first `write()`, not on `end()`: with neither, or with `end(data)` alone, none is sent.
 * That is a trap of the runtime which code must be able to fall into here too.
 */
export class LambdaWritable extends Writable {
  _onBeforeFirstWrite: ((write: (chunk: string | Uint8Array) => void) => void) | undefined;
  contentType = DEFAULT_CONTENT_TYPE;
  private written = false;

  setContentType(contentType: string): void {
    if (this.written) throw new Error('Cannot set content-type, too late.');
    this.contentType = contentType;
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    const first = !this.written;
    this.written = true;
    if (first) this._onBeforeFirstWrite?.((data) => void super.write(data));
    const data = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
    const [encoding, callback] = typeof rest[0] === 'function' ? [undefined, rest[0]] : rest;
    const done =
      typeof callback === 'function' ? (error: Error | null | undefined) => Reflect.apply(callback, undefined, [error]) : undefined;
    return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? super.write(data, encoding, done) : super.write(data, done);
  }
}

/** Sets the global `awslambda`. */
export function installStreamingGlobals(): void {
  const awslambda = {
    streamifyResponse: (handler: object) => Object.assign(handler, { [HANDLER_STREAMING]: 'response' }),
    HttpResponseStream: {
      from(underlying: LambdaWritable, prelude: unknown): LambdaWritable {
        underlying.setContentType(HTTP_INTEGRATION);
        const metadata = JSON.stringify(prelude);
        underlying._onBeforeFirstWrite = (write) => {
          write(metadata);
          write(new Uint8Array(DELIMITER_LENGTH));
        };
        return underlying;
      },
    },
  };
  Object.defineProperty(globalThis, 'awslambda', { value: awslambda, configurable: true, enumerable: true, writable: true });
}

export function isStreaming(handler: object): boolean {
  return HANDLER_STREAMING in handler;
}

/** A stream whose bytes go to the sandbox; its callbacks wait while the reader is behind by STREAM_WINDOW. */
export function createResponseStream(requestId: string, post: Post): ResponseStream {
  let underWay = 0;
  let resume: (() => void) | null = null;
  const send = (chunks: Buffer[], done: () => void) => {
    // A copy of its own: the handler may reuse its buffer, and what is transferred is lost to it.
    const bytes = join(chunks);
    underWay += bytes.length;
    post({ type: 'chunk', requestId, contentType: writable.contentType, bytes }, [bytes.buffer]);
    if (underWay < STREAM_WINDOW) done();
    else resume = done;
  };
  const writable = new LambdaWritable({
    highWaterMark: 64 * 1024,
    write: (chunk: Buffer, _encoding, done) => send([chunk], done),
    writev: (items, done) =>
      send(
        items.map(({ chunk }): Buffer => chunk),
        done,
      ),
  });
  const ended = finished(writable, { readable: false });
  // A handler that fails by itself leaves nobody to wait for its stream.
  ended.catch(() => {});
  return {
    writable,
    contentType: () => writable.contentType,
    finished: ended,
    consumed(bytes) {
      underWay -= bytes;
      if (underWay >= STREAM_WINDOW || resume === null) return;
      const done = resume;
      resume = null;
      done();
    },
  };
}

function join(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
