/** What clients say about an object besides its bytes: system headers, user metadata, tags, storage class. */
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../../aws-error.ts';
import { parseTaggingHeader, type Tag } from '../bucket/tags.ts';
import { notImplemented } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { StoredHeaders } from '../store/objects.ts';
import { decodeWords, encodeWords } from './encoded-words.ts';

const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';
const SYSTEM_HEADERS = ['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'] as const;
const WEBSITE_REDIRECT = 'x-amz-website-redirect-location';
const USER_PREFIX = 'x-amz-meta-';
const STORAGE_CLASSES = ['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'];
const ARCHIVE_CLASSES = ['GLACIER', 'DEEP_ARCHIVE'];
/** With ACLs off (the default of a bucket) only these are accepted, and they change nothing. */
const HARMLESS_ACLS = ['private', 'bucket-owner-full-control'];

/** Throws AwsError `MetadataTooLarge` and what a bad redirect causes. */
export function parseHeaders(headers: IncomingHttpHeaders, limits: Limits): StoredHeaders {
  const stored: StoredHeaders = { 'content-type': DEFAULT_CONTENT_TYPE };
  for (const name of SYSTEM_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') stored[name] = value;
  }
  let size = 0;
  for (const name in headers) {
    if (!name.startsWith(USER_PREFIX)) continue;
    const value = decodeWords(String(headers[name] ?? ''));
    size += name.length - USER_PREFIX.length + Buffer.byteLength(value);
    stored[name] = value;
  }
  if (size > limits.maxMetadataBytes) {
    throw new AwsError(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: String(size),
      MaxSizeAllowed: String(limits.maxMetadataBytes),
    });
  }
  const redirect = parseRedirect(headers);
  if (redirect !== null) stored[WEBSITE_REDIRECT] = redirect;
  return stored;
}

/** The website redirect of a request; a copy does not take it from its source. */
export function parseRedirect(headers: IncomingHttpHeaders): string | null {
  const redirect = headers[WEBSITE_REDIRECT];
  if (typeof redirect !== 'string') return null;
  if (!/^(\/|https?:\/\/)/.test(redirect)) {
    const message = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
    throw new AwsError(400, 'InvalidRedirectLocation', message);
  }
  return redirect;
}

export function withRedirect(stored: StoredHeaders, redirect: string | null): StoredHeaders {
  const { [WEBSITE_REDIRECT]: _, ...rest } = stored;
  return redirect === null ? rest : { ...rest, [WEBSITE_REDIRECT]: redirect };
}

/** As S3 gives them back: what is not printable ASCII is encoded as RFC 2047 has it. */
export function answerHeaders(stored: StoredHeaders): Record<string, string> {
  const answer: Record<string, string> = {};
  for (const name in stored) {
    answer[name] = encodeWords(stored[name] ?? '');
  }
  return answer;
}

/** Throws AwsError `InvalidStorageClass`; 501 for the archives, whose objects would have to be restored first. */
export function parseStorageClass(headers: IncomingHttpHeaders): string {
  const requested = headers['x-amz-storage-class'];
  if (requested === undefined) return 'STANDARD';
  const name = String(requested);
  if (ARCHIVE_CLASSES.includes(name)) throw notImplemented(`the storage class ${name}`);
  if (!STORAGE_CLASSES.includes(name)) {
    throw new AwsError(400, 'InvalidStorageClass', 'The storage class you specified is not valid', { StorageClassRequested: name });
  }
  return name;
}

export function parseTags(headers: IncomingHttpHeaders, limits: Limits): Tag[] {
  const header = headers['x-amz-tagging'];
  return header === undefined ? [] : parseTaggingHeader(String(header), limits.maxTags);
}

/** Throws AwsError for any ACL that would grant something. */
export function refuseAcl(headers: IncomingHttpHeaders): void {
  const acl = headers['x-amz-acl'];
  if (acl === undefined || HARMLESS_ACLS.includes(String(acl))) return;
  throw new AwsError(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
}
