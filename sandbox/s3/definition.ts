/** What an operation of this S3 is made of. */
import { CHECKSUM, CUSTOMER_KEY, DESCRIPTION, ENCRYPTION, headerFilter } from './headers.ts';
import type { Handler } from './room.ts';

export type Level = 'service' | 'bucket' | 'object';

/** In place of a subresource, for the writes that the header `x-amz-copy-source` makes copies. */
export const COPY = 'x-amz-copy-source';
export const PART_COPY = 'uploadId, x-amz-copy-source';

export interface Definition {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  level: Level;
  /** The query parameter that names the operation; empty when method and level do. */
  subresource: string;
  query: string[];
  /** Gives the first `x-amz-` header that the operation does not take. */
  refusedHeader: (headers: object) => string | null;
  handle: Handler;
}

export function define(
  method: Definition['method'],
  level: Level,
  subresource: string,
  handle: Handler,
  query: string[] = [],
  headers: string[] = [],
): Definition {
  return { method, level, subresource, handle, query, refusedHeader: headerFilter(headers, false) };
}

export function read(level: Level, subresource: string, handle: Handler, query: string[] = []): Definition {
  return define('GET', level, subresource, handle, query, ['x-amz-optional-object-attributes']);
}

export function write(level: Level, subresource: string, handle: Handler): Definition {
  return define('PUT', level, subresource, handle, [], CHECKSUM);
}

/** A write that also says what the new object is. */
export function described(method: Definition['method'], subresource: string, handle: Handler, headers: string[]): Definition {
  const taken = [...headers, ...DESCRIPTION, ...ENCRYPTION, ...CUSTOMER_KEY];
  return { method, level: 'object', subresource, handle, query: [], refusedHeader: headerFilter(taken, true) };
}
