/** AbortMultipartUpload, ListParts, ListMultipartUploads. */
import { isoDate, quoted, sendEmpty, sendXml } from '../answer.ts';
import { invalidArgument } from '../errors.ts';
import { OWNER } from '../listing/list-objects.ts';
import { nameEncoder, parseMax } from '../listing/parameters.ts';
import type { Call } from '../room.ts';
import type { ListedUpload } from '../store/listing.ts';
import { document, type XmlMembers } from '../xml.ts';
import { checkChecksumKey, findUpload } from './upload-part.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export function abortMultipartUpload(call: Call): void {
  const { room, response } = call;
  const orphans = room.transaction(() => {
    const { id } = findUpload(call);
    room.uploads.delete(id);
    return room.segments.delete(id);
  });
  room.blobs.remove(orphans);
  sendEmpty(response, 204);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export function listParts(call: Call): void {
  const { room, request, response, bucket, key } = call;
  const { query } = request;
  const encode = nameEncoder(query.get('encoding-type'));
  const upload = findUpload(call);
  checkChecksumKey(call, upload);
  const max = parseMax(query.get('max-parts'), 'max-parts', room.limits.maxKeys);
  const marker = parseMax(query.get('part-number-marker') ?? '0', 'part-number-marker', room.limits.maxParts);
  const found = room.segments.page(upload.id, marker, max + 1);
  const parts = found.slice(0, max);
  sendXml(
    response,
    document('ListPartsResult', {
      Bucket: bucket,
      Key: encode(key),
      UploadId: upload.upload,
      Initiator: initiator(upload.initiator),
      Owner: OWNER,
      StorageClass: upload.storage,
      PartNumberMarker: marker,
      NextPartNumberMarker: parts.at(-1)?.number ?? 0,
      MaxParts: max,
      IsTruncated: found.length > parts.length,
      ...(upload.algorithm ? { ChecksumAlgorithm: upload.algorithm, ChecksumType: upload.checksumType } : {}),
      Part: parts.map(({ number, modified, etag, size, checksum }) => ({
        PartNumber: number,
        LastModified: isoDate(modified),
        ETag: quoted(etag),
        Size: size,
        ...(upload.algorithm && checksum ? { [`Checksum${checksum.algorithm}`]: checksum.value } : {}),
      })),
    }),
  );
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listMultipartUploads({ room, request, response, bucket: name }: Call): void {
  const { query } = request;
  const bucket = room.buckets.get(name);
  const encode = nameEncoder(query.get('encoding-type'));
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const uploadMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
  const limit = parseMax(query.get('max-uploads'), 'max-uploads', room.limits.maxKeys);
  const marked = uploadMarker === '' ? null : room.uploads.find(bucket.id, keyMarker, uploadMarker);
  if (uploadMarker !== '' && !marked) throw invalidArgument('Invalid uploadId marker', 'upload-id-marker', uploadMarker);
  const { rows, prefixes, next } = room.listing.uploads({ bucket: bucket.id, prefix, delimiter, after: keyMarker, limit }, marked);
  const last = rows.at(-1);
  sendXml(
    response,
    document('ListMultipartUploadsResult', {
      Bucket: name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: uploadMarker,
      NextKeyMarker: encode(next ?? last?.key ?? ''),
      NextUploadIdMarker: last && (next === null || next === last.key) ? last.upload : '',
      Prefix: prefix === '' ? null : encode(prefix),
      Delimiter: delimiter === '' ? null : encode(delimiter),
      EncodingType: query.get('encoding-type'),
      MaxUploads: limit,
      IsTruncated: next !== null,
      Upload: rows.map((row) => listed(row, encode)),
      CommonPrefixes: prefixes.map((common) => ({ Prefix: encode(common) })),
    }),
  );
}

function listed(row: ListedUpload, encode: (name: string) => string): XmlMembers {
  return {
    Key: encode(row.key),
    UploadId: row.upload,
    Initiator: initiator(row.initiator),
    Owner: OWNER,
    StorageClass: row.storage,
    Initiated: isoDate(row.initiated),
    ...(row.algorithm === null ? {} : { ChecksumAlgorithm: row.algorithm, ChecksumType: row.checksum_type }),
  };
}

function initiator(arn: string): XmlMembers {
  return { ID: arn, DisplayName: arn.split('/').at(-1) };
}
