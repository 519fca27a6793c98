/**
 * The API as one caller asks it. Answers come as bytes on the wire: `fetch` would undo a Content-Encoding that the object was stored
 * with, and so change what a range is of.
 */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { Unanswered } from './unanswered.ts';

/** Longer than a gateway lets a function think: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const IDLE_MS = 60_000;

export interface ApiOptions {
  /** Origin, with the stage where it has one. */
  url: URL;
  /** Goes into the Authorization header and nowhere else. */
  token: string;
  /** Connections at once; more requests wait. */
  connections?: number;
  /** Without a byte for so long, a connection counts as broken. Default 60 s. */
  idleMs?: number;
}

export interface Question {
  method: 'GET' | 'HEAD';
  /** Such as `/object`. */
  path: string;
  query: Record<string, string>;
  headers?: Record<string, string>;
  signal: AbortSignal;
}

export interface Api {
  readonly url: URL;
  /**
   * The head of an answer, whatever its status; whoever gets it reads or destroys it.
   * @throws Unanswered, or the signal's reason
   */
  ask(question: Question): Promise<IncomingMessage>;
  /** Bytes of an answer, chunk by chunk. @throws Unanswered when the connection breaks before the end, or the signal's reason */
  read(answer: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined>;
  /** Lets go of kept connections. */
  close(): void;
}

export function openApi({ url, token, connections = 1, idleMs = IDLE_MS }: ApiOptions): Api {
  const { Agent, request } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let reached = false;
  const broken = (cause: unknown, signal: AbortSignal) => (signal.aborted ? signal.reason : new Unanswered(url, cause, reached));

  return {
    url,
    ask({ method, path, query, headers = {}, signal }) {
      const target = new URL(url);
      target.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
      // As the gateway decodes it: `+` would be a plus, not a space.
      target.search = Object.entries(query)
        .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
        .join('&');
      return new Promise((resolve, reject) => {
        const asked = request(target, { method, agent, signal, headers: { ...headers, authorization: `Bearer ${token}` } });
        asked.setTimeout(idleMs, () => asked.destroy(new Error(`no byte for ${idleMs / 1000} s`)));
        asked.on('response', (answer) => {
          reached = true;
          resolve(answer);
        });
        asked.on('error', (cause) => reject(broken(cause, signal)));
        asked.end();
      });
    },
    async *read(answer, signal) {
      const chunks = answer[Symbol.asyncIterator]();
      try {
        for (;;) {
          // Only what the connection does counts as its fault, not what becomes of the bytes.
          const { value, done } = await chunks.next().catch((cause: unknown) => {
            throw broken(cause, signal);
          });
          if (done) return;
          yield value;
        }
      } finally {
        answer.destroy();
      }
    },
    close: () => agent.destroy(),
  };
}
