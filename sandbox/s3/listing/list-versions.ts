import { isoDate, quoted, sendXml } from '../answer.ts';
import { invalidArgument } from '../errors.ts';
import type { Call } from '../room.ts';
import type { ListedVersion } from '../store/listing.ts';
import { document, type XmlMembers } from '../xml.ts';
import { listedChecksum, OWNER } from './list-objects.ts';
import { nameEncoder, parseMax } from './parameters.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export function listObjectVersions({ room, request, response, bucket: name }: Call): void {
  const { query } = request;
  const bucket = room.buckets.get(name);
  const encode = nameEncoder(query.get('encoding-type'));
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  const limit = parseMax(query.get('max-keys'), 'max-keys', room.limits.maxKeys);
  if (versionMarker !== '' && keyMarker === '') {
    throw invalidArgument('A version-id marker cannot be specified without a key marker.', 'version-id-marker', versionMarker);
  }
  const marked = versionMarker === '' ? null : room.objects.version(bucket.id, keyMarker, versionMarker);
  if (versionMarker !== '' && !marked) throw invalidArgument('Invalid version id specified', 'version-id-marker', versionMarker);
  const { rows, prefixes, next } = room.listing.versions({ bucket: bucket.id, prefix, delimiter, after: keyMarker, limit }, marked);
  const last = rows.at(-1);
  sendXml(
    response,
    document('ListVersionsResult', {
      Name: name,
      Prefix: encode(prefix),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: versionMarker,
      NextKeyMarker: next === null ? null : encode(next),
      NextVersionIdMarker: next !== null && last?.key === next ? last.version : null,
      MaxKeys: limit,
      Delimiter: delimiter === '' ? null : encode(delimiter),
      EncodingType: query.get('encoding-type'),
      IsTruncated: next !== null,
      Version: rows.filter(({ marker }) => marker === 0).map((row) => version(row, encode)),
      DeleteMarker: rows.filter(({ marker }) => marker === 1).map((row) => common(row, encode)),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    }),
  );
}

function common(row: ListedVersion, encode: (name: string) => string): XmlMembers {
  return {
    Key: encode(row.key),
    VersionId: row.version,
    IsLatest: row.latest === 1,
    LastModified: isoDate(row.modified),
    Owner: OWNER,
  };
}

function version(row: ListedVersion, encode: (name: string) => string): XmlMembers {
  return { ...common(row, encode), ETag: quoted(row.etag), ...listedChecksum(row), Size: row.size, StorageClass: row.storage };
}
