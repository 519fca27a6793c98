/** Changes to an answer on its way out. Services answer by `writeHead(status, headers)`, `write` and `end`; that is what is bent here. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Breaks the connection as a network does: the client sees a reset, not an end. */
export function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
  response.destroy();
}

/** The service works as ever; when it begins to answer, `instead` happens and nothing goes out. */
export function answerNobody(response: ServerResponse, instead: () => void): void {
  response.writeHead = (status: number) => {
    response.statusCode = status;
    instead();
    cut(response);
    return response;
  };
}

/** Lets the head and the first half of the body out, then breaks. Without a body nothing goes out. */
export function cutMidBody(response: ServerResponse): void {
  const { writeHead, write } = originals(response);
  let left = 0;
  response.writeHead = (status: number, ...rest: unknown[]) => {
    const headers = headersOf(rest);
    const length = Number(headers['content-length'] ?? 0);
    if (length === 0 || response.req.method === 'HEAD') {
      cut(response);
      return response;
    }
    left = Math.floor(length / 2);
    writeHead(status, headers);
    response.flushHeaders();
    if (left === 0) cut(response);
    return response;
  };
  response.write = (chunk: unknown) => {
    const bytes = bytesOf(chunk).subarray(0, left);
    left -= bytes.length;
    // A reset could overtake what was written: what went out is half of the body, not nothing.
    return write(bytes, left === 0 ? () => response.destroy() : () => {});
  };
  response.end = (chunk?: unknown) => {
    if (chunk !== undefined) response.write(chunk);
    if (left > 0) cut(response);
    return response;
  };
}

/** Of answers that say that all went well. */
export function changeHeaders(response: ServerResponse, change: (headers: OutgoingHttpHeaders) => void): void {
  const { writeHead } = originals(response);
  response.writeHead = (status: number, ...rest: unknown[]) => {
    const headers = headersOf(rest);
    if (status < 300) change(headers);
    return writeHead(status, headers);
  };
}

/** Changes a body of this content type in an answer that says that all went well; its length may change too. Other bodies pass. */
export function changeBody(response: ServerResponse, contentType: string, change: (body: string) => string): void {
  const { writeHead, end } = originals(response);
  let held: { status: number; headers: OutgoingHttpHeaders } | null = null;
  response.writeHead = (status: number, ...rest: unknown[]) => {
    const headers = headersOf(rest);
    if (status >= 300 || headers['content-type'] !== contentType) return writeHead(status, headers);
    held = { status, headers };
    return response;
  };
  response.end = (chunk?: unknown) => {
    if (held === null || chunk === undefined) {
      if (held !== null) writeHead(held.status, held.headers);
      return end(chunk);
    }
    const body = change(String(chunk));
    writeHead(held.status, { ...held.headers, 'content-length': Buffer.byteLength(body) });
    return end(body);
  };
}

/** Sends the body no faster than `wait` allows, which is asked for every chunk of it. */
export function pace(response: ServerResponse, wait: (bytes: number) => Promise<boolean>): void {
  const { write, end } = originals(response);
  let sent = Promise.resolve();
  const later = (bytes: number, send: () => void) => {
    sent = sent.then(async () => {
      if (await wait(bytes)) send();
      else cut(response);
    });
  };
  response.write = (chunk: unknown) => {
    const bytes = bytesOf(chunk);
    later(bytes.length, () => {
      if (write(bytes, () => {})) response.emit('drain');
    });
    return false;
  };
  response.end = (chunk?: unknown) => {
    const bytes = chunk === undefined ? null : bytesOf(chunk);
    later(bytes?.length ?? 0, () => void (bytes === null ? end() : end(bytes)));
    return response;
  };
}

interface Originals {
  writeHead(status: number, headers: OutgoingHttpHeaders): ServerResponse;
  write(bytes: Uint8Array, written: () => void): boolean;
  end(chunk?: unknown): ServerResponse;
}

/** What the response did until now; several changes lie over each other. */
function originals(response: ServerResponse): Originals {
  const { writeHead, write, end } = response;
  return {
    writeHead: (status, headers) => writeHead.call(response, status, headers),
    write: (bytes, written) => write.call(response, bytes, 'utf8', written),
    end: (chunk) => end.call(response, chunk, 'utf8'),
  };
}

function headersOf(rest: unknown[]): OutgoingHttpHeaders {
  return { ...Object(rest.at(-1)) };
}

function bytesOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk));
}
