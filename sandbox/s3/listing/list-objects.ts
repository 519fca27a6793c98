/** ListObjectsV2 and ListObjects. */
import { ACCOUNT_ID } from '../../account.ts';
import { isoDate, quoted, sendXml } from '../answer.ts';
import { invalidArgument } from '../errors.ts';
import type { Call } from '../room.ts';
import type { ListedObject } from '../store/listing.ts';
import { document, type XmlMembers } from '../xml.ts';
import { nameEncoder, parseMax } from './parameters.ts';

const TOKEN_PREFIX = 'key:';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjectsV2({ room, request, response, bucket: name }: Call): void {
  const { query } = request;
  const bucket = room.buckets.get(name);
  const encode = nameEncoder(query.get('encoding-type'));
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = parseMax(query.get('max-keys'), 'max-keys', room.limits.maxKeys);
  const after = token === null ? (startAfter ?? '') : fromToken(token);
  const { rows, prefixes, next } = room.listing.objects({ bucket: bucket.id, prefix, delimiter, after, limit });
  const withOwner = query.get('fetch-owner') === 'true';
  sendXml(
    response,
    document('ListBucketResult', {
      Name: name,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? null : encode(delimiter),
      MaxKeys: limit,
      EncodingType: query.get('encoding-type'),
      KeyCount: rows.length + prefixes.length,
      IsTruncated: next !== null,
      ContinuationToken: token,
      NextContinuationToken: next === null ? null : toToken(next),
      StartAfter: startAfter === null || startAfter === '' ? null : encode(startAfter),
      Contents: rows.map((row) => contents(row, encode, withOwner)),
      CommonPrefixes: prefixes.map((common) => ({ Prefix: encode(common) })),
    }),
  );
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export function listObjects({ room, request, response, bucket: name }: Call): void {
  const { query } = request;
  const bucket = room.buckets.get(name);
  const encode = nameEncoder(query.get('encoding-type'));
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const marker = query.get('marker') ?? '';
  const limit = parseMax(query.get('max-keys'), 'max-keys', room.limits.maxKeys);
  const { rows, prefixes, next } = room.listing.objects({ bucket: bucket.id, prefix, delimiter, after: marker, limit });
  sendXml(
    response,
    document('ListBucketResult', {
      Name: name,
      Prefix: encode(prefix),
      Marker: encode(marker),
      // Without a delimiter the last key is the marker, and S3 does not repeat it.
      NextMarker: next === null || delimiter === '' ? null : encode(next),
      Delimiter: delimiter === '' ? null : encode(delimiter),
      MaxKeys: limit,
      EncodingType: query.get('encoding-type'),
      IsTruncated: next !== null,
      Contents: rows.map((row) => contents(row, encode, true)),
      CommonPrefixes: prefixes.map((common) => ({ Prefix: encode(common) })),
    }),
  );
}

export const OWNER = { ID: ACCOUNT_ID };

/** `ChecksumAlgorithm` and `ChecksumType` of a listed row. */
export function listedChecksum({ algorithm, checksum_type: type }: Pick<ListedObject, 'algorithm' | 'checksum_type'>): XmlMembers {
  return algorithm === null ? {} : { ChecksumAlgorithm: algorithm, ChecksumType: type };
}

function contents(row: ListedObject, encode: (name: string) => string, withOwner: boolean): XmlMembers {
  return {
    Key: encode(row.key),
    LastModified: isoDate(row.modified),
    ETag: quoted(row.etag),
    ...listedChecksum(row),
    Size: row.size,
    Owner: withOwner ? OWNER : null,
    StorageClass: row.storage,
  };
}

function toToken(key: string): string {
  return Buffer.from(TOKEN_PREFIX + key).toString('base64url');
}

function fromToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith(TOKEN_PREFIX)) throw invalidArgument('The continuation token provided is incorrect', 'continuation-token');
  return text.slice(TOKEN_PREFIX.length);
}
