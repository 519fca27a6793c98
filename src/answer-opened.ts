/** What the caller is answered for what was opened. */
import type { Readable } from 'node:stream';
import { SealdropError } from './errors.ts';
import { notModifiedHeaders, objectHeaders } from './http/object-headers.ts';
import { toProblem } from './http/problem.ts';
import { contentRange } from './http/range.ts';
import type { Opened } from './opened.ts';
import type { OpenedObject } from './read-object.ts';

export interface ObjectAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable | string;
}

export function answerOpened(opened: Opened, requestId: string): ObjectAnswer {
  switch (opened.kind) {
    case 'object': {
      const { range, body } = opened.object;
      return { statusCode: range === null ? 200 : 206, headers: objectHeaders(opened.object, range), body: body ?? '' };
    }
    case 'not-modified':
      return { statusCode: 304, headers: notModifiedHeaders(opened.object), body: '' };
    case 'redirect': {
      const headers = namedHeaders(opened.object);
      // 307 keeps the method, and no cache keeps it: https://www.rfc-editor.org/rfc/rfc9110#section-15.4.8
      return {
        statusCode: 307,
        headers: { location: opened.url, 'cache-control': 'no-store', 'content-length': '0', ...headers },
        body: '',
      };
    }
    case 'preparing': {
      const { object, retryAfterSeconds } = opened;
      // https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3
      return {
        statusCode: 202,
        headers: {
          'content-type': 'application/json',
          'cache-control': 'no-store',
          'retry-after': String(retryAfterSeconds),
          ...namedHeaders(object),
        },
        body: JSON.stringify({ status: 'preparing', retryAfterSeconds, instance: `urn:request:${requestId}` }),
      };
    }
    case 'unsatisfiable': {
      const problem = toProblem(new SealdropError('range-not-satisfiable', 'The range lies behind the end of the object'), requestId);
      return { ...problem, headers: { ...problem.headers, 'accept-ranges': 'bytes', 'content-range': contentRange(null, opened.size) } };
    }
    default:
      return opened satisfies never;
  }
}

/** Of an answer without the object: which it is about. */
function namedHeaders({ mode, versionId = '' }: OpenedObject): Record<string, string> {
  return { 'x-sealdrop-encryption': mode, 'x-sealdrop-version-id': versionId };
}
