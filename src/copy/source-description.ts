/** What a copy in parts must say for its source: S3 takes nothing along by itself. */
import type { CreateMultipartUploadCommandInput, HeadObjectCommandOutput, StorageClass, Tag } from '@aws-sdk/client-s3';
import type { StoredChecksum } from './copy-job.ts';
import type { SourceLosses } from './plan.ts';
import { storedChecksum } from './stored-checksum.ts';

/**
 * Bytes of metadata and tags in one request; S3 takes 8 KB of headers, of which signature, session token and key may need the rest.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
const MAX_HEADER_BYTES = 5 * 1024;

/** Which an upload can have for the whole object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
const WHOLE_OBJECT_ALGORITHMS: readonly string[] = ['CRC64NVME', 'CRC32C', 'CRC32'];

export type CarriedHeaders = Pick<
  CreateMultipartUploadCommandInput,
  'ContentType' | 'ContentEncoding' | 'ContentLanguage' | 'ContentDisposition' | 'CacheControl' | 'Metadata'
>;

export interface SourceDescription {
  size: number;
  lastModified: Date | null;
  storageClass: StorageClass;
  headers: CarriedHeaders;
  /** As it was sent, which need not be a date. */
  expires: string | null;
  tags: Tag[];
  /** Of the whole object, where parts can have the same. */
  checksum: StoredChecksum | null;
  losses: SourceLosses;
  /** What no request can say, so that parts would lose it; `null`: nothing. */
  unsayable: string | null;
}

/** @param checksumKnown whether `head` would tell of a checksum */
export function describeSource(head: HeadObjectCommandOutput, tags: Tag[], checksumKnown: boolean): SourceDescription {
  const checksum = wholeChecksum(head);
  const headers = carriedHeaders(head);
  const expires = head.ExpiresString ?? null;
  const unsayable = unsayablePart(head, headers, expires);
  const tooLong = headerBytes(headers, tags) > MAX_HEADER_BYTES;
  return {
    size: head.ContentLength ?? 0,
    lastModified: head.LastModified ?? null,
    storageClass: storageClassOf(head),
    headers,
    expires,
    tags,
    checksum,
    losses: { checksum: checksum === null && (hasChecksum(head) || !checksumKnown), description: unsayable !== null || tooLong },
    unsayable,
  };
}

/**
 * Metadata goes back as it came: S3 gives what is not ASCII as words of RFC 2047, and decodes such words when it stores them.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
 */
export function carriedHeaders(head: HeadObjectCommandOutput): CarriedHeaders {
  const { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl, Metadata } = head;
  return { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl, Metadata };
}

/** S3 does not name the class of an object in STANDARD. */
export function storageClassOf({ StorageClass }: HeadObjectCommandOutput): StorageClass {
  return StorageClass ?? 'STANDARD';
}

/** The tags as one header. */
export function taggingHeader(tags: Tag[]): string | undefined {
  if (tags.length === 0) return undefined;
  return tags.map(({ Key = '', Value = '' }) => `${encodeURIComponent(Key)}=${encodeURIComponent(Value)}`).join('&');
}

function wholeChecksum(head: HeadObjectCommandOutput): StoredChecksum | null {
  const checksum = storedChecksum(head);
  return checksum?.type === 'FULL_OBJECT' && WHOLE_OBJECT_ALGORITHMS.includes(checksum.algorithm) ? checksum : null;
}

/** Whatever its algorithm: S3 knows more of them than can be compared here. */
function hasChecksum(head: HeadObjectCommandOutput): boolean {
  return Object.entries(head).some(([name, value]) => /^Checksum(?!Type)/.test(name) && value !== undefined);
}

function unsayablePart(
  head: HeadObjectCommandOutput,
  { Metadata = {}, ...headers }: CarriedHeaders,
  expires: string | null,
): string | null {
  // Stored by other ways than REST: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (x-amz-missing-meta)
  if ((head.MissingMeta ?? 0) > 0) return 'user metadata that S3 does not show';
  // Signed as UTF-8 and sent as Latin-1, such a header would fail its own signature.
  const foreign = Object.entries({ ...headers, ...Metadata, Expires: expires ?? '' }).find(([, value]) =>
    /[^\t\x20-\x7e]/.test(value ?? ''),
  );
  return foreign === undefined ? null : `${foreign[0]}, which is not ASCII`;
}

function headerBytes({ Metadata = {}, ...headers }: CarriedHeaders, tags: Tag[]): number {
  const metadata = Object.entries(Metadata).map(([name, value]) => `x-amz-meta-${name}: ${value}`);
  return [...metadata, ...Object.values(headers), taggingHeader(tags)].reduce((sum, text) => sum + (text?.length ?? 0), 0);
}
