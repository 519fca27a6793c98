/** What a request for an object asks for, beside its key. Pure. */
import { SealdropError } from '../errors.ts';
import type { Conditions } from './conditions.ts';
import { attachment } from './disposition.ts';
import { parseRange, type RangeSpec } from './range.ts';
import { type ApiRequest, requestedKey } from './request.ts';

/** The query parameters of both routes. */
export const OBJECT_QUERY = ['key', 'versionId', 'download', 'redirect'] as const;

export interface ObjectRequest {
  /** The decoded key that S3 will see. */
  key: string;
  /** Absent: the current version. */
  versionId?: string;
  /** `inspect`: what is known of the object, without its bytes. */
  purpose: 'read' | 'inspect';
  /** `null`: the whole. */
  range: RangeSpec | null;
  conditions: Conditions;
  /** What Content-Disposition is to say instead of what the object was stored with. */
  disposition?: string;
  /** `false`: no answer may point elsewhere. */
  redirects: boolean;
}

/** No version id of S3's is longer: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html */
export const VERSION_ID = /^[A-Za-z0-9._-]{1,1024}$/;

/** How an object is wanted, whichever it is. */
export type ObjectWish = Omit<ObjectRequest, 'key' | 'versionId'>;

/** The query parameters that say so. */
export const WISH_QUERY = ['download', 'redirect'] as const;

type Asked = Pick<ApiRequest, 'method' | 'query' | 'headers'>;

/** @throws SealdropError `invalid-request` */
export function objectRequest(request: ApiRequest): ObjectRequest {
  const key = requestedKey(request);
  const { versionId } = request.query;
  if (versionId !== undefined && !VERSION_ID.test(versionId)) throw new SealdropError('invalid-request', 'versionId is none of S3');
  return { key, ...(versionId === undefined ? {} : { versionId }), ...objectWish(request, key) };
}

/**
 * @param name what it is saved as where `?download` says no name
 * @throws SealdropError `invalid-request`
 */
export function objectWish({ method, query, headers }: Asked, name: string): ObjectWish {
  const { download } = query;
  if (query.redirect !== undefined && query.redirect !== 'never') {
    throw new SealdropError('invalid-request', 'redirect can only be "never"; without it an answer may be a redirect');
  }
  return {
    purpose: method === 'HEAD' ? 'inspect' : 'read',
    // Defined for GET alone: https://www.rfc-editor.org/rfc/rfc9110#section-14.2
    range: method === 'GET' ? parseRange(headers.range) : null,
    conditions: {
      ifMatch: headers['if-match'],
      ifNoneMatch: headers['if-none-match'],
      ifModifiedSince: headers['if-modified-since'],
      ifUnmodifiedSince: headers['if-unmodified-since'],
      ifRange: headers['if-range'],
    },
    ...(download === undefined ? {} : { disposition: attachment(download || name) }),
    redirects: query.redirect !== 'never',
  };
}
