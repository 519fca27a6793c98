import { httpDate, sendXml } from '../answer.ts';
import { parseCustomerKey } from '../encryption/customer-key.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import { type Call, keyCaller } from '../room.ts';
import type { StoredObject } from '../store/objects.ts';
import { document, type XmlMembers } from '../xml.ts';
import { findObject, parseVersionId } from './find.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export function getObjectAttributes(call: Call): void {
  const { room, request, response, key } = call;
  const bucket = room.buckets.get(call.bucket);
  const wanted = parseWanted(request.headers['x-amz-object-attributes']);
  const record = findObject(call, bucket, key, parseVersionId(bucket, request.query.get('versionId')));
  const customerKey = parseCustomerKey(request.headers, request.secure);
  if (record.sealed.mode === 'sse-c' || customerKey) {
    room.encryption.open(record.sealed, { bucket: bucket.name, key }, customerKey, keyCaller(call));
  }
  const described: XmlMembers = {};
  if (wanted.has('ETag')) described.ETag = record.etag;
  if (wanted.has('Checksum') && record.checksum) {
    const { algorithm, type, value } = record.checksum;
    described.Checksum = { [`Checksum${algorithm}`]: value.replace(/-\d+$/, ''), ChecksumType: type };
  }
  if (wanted.has('ObjectParts') && record.parts !== null) described.ObjectParts = partsOf(call, record, record.parts);
  if (wanted.has('StorageClass')) described.StorageClass = record.storage;
  if (wanted.has('ObjectSize')) described.ObjectSize = record.size;
  const headers = { 'last-modified': httpDate(record.modified) };
  const version = bucket.settings.versioning ? { 'x-amz-version-id': record.version } : {};
  sendXml(response, document('GetObjectAttributesResponse', described), { ...headers, ...version });
}

function parseWanted(header: string | string[] | undefined): Set<string> {
  if (header === undefined || header === '') {
    throw invalidRequest('The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty');
  }
  const names = String(header)
    .split(',')
    .map((name) => name.trim());
  if (!names.every((name) => ATTRIBUTES.includes(name))) {
    throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes');
  }
  return new Set(names);
}

/** S3 lists the parts only where they have checksums of their own. */
function partsOf({ room, request }: Call, record: StoredObject, total: number): XmlMembers {
  if (record.checksum?.type !== 'COMPOSITE') return { PartsCount: total };
  const marker = Number(request.headers['x-amz-part-number-marker'] ?? 0);
  const max = Math.min(Number(request.headers['x-amz-max-parts'] ?? room.limits.maxKeys), room.limits.maxKeys);
  const parts = room.segments.page(record.id, marker, max);
  const last = parts.at(-1)?.number ?? marker;
  return {
    PartsCount: total,
    PartNumberMarker: marker,
    NextPartNumberMarker: last,
    MaxParts: max,
    IsTruncated: last < total,
    Part: parts.map(({ number, size, checksum }) => ({
      PartNumber: number,
      Size: size,
      ...(checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value } : {}),
    })),
  };
}
