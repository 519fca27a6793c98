/**
 * The global that Lambda's runtime gives to functions that stream and `serverless invoke local` does not. Bundled for that command
 * alone: the answer comes back whole, its bytes as base64, as a buffered function would give it.
 */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

type StreamingHandler = (event: unknown, stream: Writable, context: unknown) => unknown;

const preludes = new WeakMap<Writable, object>();

Reflect.set(globalThis, 'awslambda', {
  streamifyResponse: (handler: StreamingHandler) => async (event: unknown, context: unknown) => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk, encoding, done) {
        chunks.push(Buffer.from(chunk, encoding));
        done();
      },
    });
    const ended = finished(stream);
    await handler(event, stream, context);
    await ended;
    return { ...preludes.get(stream), body: Buffer.concat(chunks).toString('base64'), isBase64Encoded: true };
  },
  HttpResponseStream: {
    from(stream: Writable, prelude: object): Writable {
      preludes.set(stream, prelude);
      return stream;
    },
  },
});
