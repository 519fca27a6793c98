/** What a served object's headers are. Pure. */
import type { EncryptionMode } from '../policy/schema.ts';
import { type ByteRange, contentRange } from './range.ts';

/** An object as S3 answers for it, with standard names. */
export interface ObjectHead {
  /** Bytes of this answer: of the object, or of one range of it. */
  contentLength: number;
  /** Bytes of the whole object. */
  size: number;
  /** With quotes, as S3 sends it. */
  etag?: string | undefined;
  lastModified?: Date | undefined;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  contentLanguage?: string | undefined;
  contentDisposition?: string | undefined;
  cacheControl?: string | undefined;
  expires?: string | undefined;
  metadata: Record<string, string>;
  versionId?: string | undefined;
  /** Of the whole object, base64; `null`: S3 tells none, as with a range. `type`: FULL_OBJECT or COMPOSITE. */
  checksum: { algorithm: string; value: string; type: string } | null;
  mode: EncryptionMode;
}

/** Of an answer with the object, or with one range of it. */
export function objectHeaders(object: ObjectHead, range: ByteRange | null = null): Record<string, string> {
  const headers: Record<string, string | undefined> = {
    'content-type': object.contentType ?? 'binary/octet-stream',
    'content-length': String(object.contentLength),
    // Gateways may drop Content-Length of a streamed answer; this one stays.
    'x-sealdrop-length': String(object.contentLength),
    'content-range': range === null ? undefined : contentRange(range, object.size),
    'accept-ranges': 'bytes',
    'content-encoding': object.contentEncoding,
    'content-language': object.contentLanguage,
    'content-disposition': object.contentDisposition,
    'cache-control': cacheControlOf(object),
    expires: object.expires,
    etag: object.etag,
    'last-modified': object.lastModified?.toUTCString(),
    'x-content-type-options': 'nosniff',
    'x-sealdrop-encryption': object.mode,
    'x-sealdrop-version-id': object.versionId,
  };
  if (object.checksum !== null) {
    // S3's own names: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_ResponseSyntax
    headers[`x-amz-checksum-${object.checksum.algorithm.toLowerCase()}`] = object.checksum.value;
    headers['x-amz-checksum-type'] = object.checksum.type;
  }
  for (const [name, value] of Object.entries(object.metadata)) headers[`x-amz-meta-${name}`] = value;
  return sendable(headers);
}

/** Of an answer that the caller has the object already: what a cache brings up to date. https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5 */
export function notModifiedHeaders(object: ObjectHead): Record<string, string> {
  return sendable({
    etag: object.etag,
    'last-modified': object.lastModified?.toUTCString(),
    'cache-control': cacheControlOf(object),
    expires: object.expires,
  });
}

/** The object's own cache rules, for the caller alone. */
export function cacheControlOf({ cacheControl }: ObjectHead): string {
  return privately(cacheControl);
}

function sendable(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, headerValue(value)]])));
}

const VISIBLE = /^[\x20-\x7e\t]*$/;

/** Headers carry visible ASCII; anything else goes as an encoded word, as S3 does: https://www.rfc-editor.org/rfc/rfc2047 */
function headerValue(value: string): string {
  return VISIBLE.test(value) ? value : `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

/** What would let a cache in between keep the answer, and serve it to another caller without a record. */
const SHARED = /^(public|private|must-revalidate|proxy-revalidate|s-maxage)\s*(=|$)/i;

/** The object's own cache rules for the caller alone: https://www.rfc-editor.org/rfc/rfc9111#section-3.5 */
function privately(cacheControl = 'no-cache'): string {
  const directives = cacheControl.split(',').map((directive) => directive.trim());
  // One odd sign would make an encoded word of the whole header, which no cache understands.
  const kept = directives.filter((directive) => directive !== '' && VISIBLE.test(directive) && !SHARED.test(directive));
  return ['private', ...kept].join(', ');
}
