/** The global that Lambda's Node.js runtime gives to functions that stream; handlers/download.ts asks for it at import. */
import type { Writable } from 'node:stream';

interface Prelude {
  statusCode: number;
  headers: Record<string, string>;
}

/** What a test hands to a streaming handler: it keeps the prelude beside the bytes. */
export interface PreludeStream extends Writable {
  prelude?: Prelude;
}

Reflect.set(globalThis, 'awslambda', {
  streamifyResponse: <Handler>(handler: Handler) => handler,
  HttpResponseStream: {
    from(stream: PreludeStream, prelude: Prelude): PreludeStream {
      stream.prelude = prelude;
      return stream;
    },
  },
});
