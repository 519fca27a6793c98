import { createHash } from 'node:crypto';
import { AwsError } from '../../aws-error.ts';
import { quoted, sendXml } from '../answer.ts';
import { type Checksum, checksumHeader, checksumOfParts } from '../checksum/algorithm.ts';
import { encryptionHeaders } from '../encryption/answer.ts';
import { invalidRequest } from '../errors.ts';
import { collect } from '../object/body.ts';
import { commit, newVersionHeader } from '../object/commit.ts';
import { DEFAULT_ALGORITHM } from '../object/integrity.ts';
import { type Call, keyCaller } from '../room.ts';
import type { Segment } from '../store/segments.ts';
import type { Upload } from '../store/uploads.ts';
import { document } from '../xml.ts';
import { parsePartList, type RequestedPart } from './part-list.ts';
import { findUpload } from './upload-part.ts';

/** Ten thousand parts with an ETag and a SHA-256 each. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export async function completeMultipartUpload(call: Call): Promise<void> {
  const { room, request, response, bucket, key } = call;
  const requested = parsePartList(await collect(request.body, MAX_BODY_BYTES), findUpload(call).upload, room.limits.maxParts);
  const upload = findUpload(call);
  checkType(call, upload);
  const parts = chooseParts(call, upload, requested);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  checkSize(call, size);
  const checksum = checkedChecksum(call, upload, parts);
  // S3 reads the parts' checksums, which are encrypted with them.
  if (upload.algorithm !== null && 'keyArn' in upload.sealed) room.encryption.open(upload.sealed, { bucket, key }, null, keyCaller(call));
  const md5s = createHash('md5');
  for (const { etag } of parts) md5s.update(Buffer.from(etag, 'hex'));
  const etag = `${md5s.digest('hex')}-${parts.length}`;

  let unused: string[] = [];
  const { headers, tags, storage, sealed } = upload;
  const record = commit(call, {
    draft: { key, size, etag, checksum, headers, tags, storage, sealed, parts: parts.length },
    event: 's3:ObjectCreated:CompleteMultipartUpload',
    attach(id) {
      const numbers = parts.map(({ number }) => number);
      room.segments.move(upload.id, numbers, id);
      unused = room.segments.delete(upload.id);
      room.uploads.delete(upload.id);
    },
    files: [],
  });
  room.blobs.remove(unused);
  const result = document('CompleteMultipartUploadResult', {
    Location: `http://${request.headers.host ?? 'localhost'}/${bucket}/${encodeURIComponent(key)}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(etag),
    [`Checksum${checksum.algorithm}`]: checksum.value,
    ChecksumType: checksum.type,
  });
  sendXml(response, result, { ...newVersionHeader(room, bucket, record), ...encryptionHeaders(sealed, null) });
}

function checkType({ request }: Call, upload: Upload): void {
  const type = request.headers['x-amz-checksum-type'];
  if (type === undefined || type === upload.checksumType) return;
  throw invalidRequest(
    `The upload was created using the ${upload.checksumType ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
  );
}

function checkSize({ request }: Call, size: number): void {
  const claimed = request.headers['x-amz-mp-object-size'];
  if (claimed === undefined || Number(claimed) === size) return;
  throw invalidRequest(`The provided 'x-amz-mp-object-size' header value ${claimed} does not match what was computed: ${size}`);
}

function chooseParts({ room }: Call, upload: Upload, requested: RequestedPart[]): Segment[] {
  const uploaded = new Map(room.segments.of(upload.id).map((part) => [part.number, part]));
  return requested.map(({ number, etag, checksums }, index) => {
    const part = uploaded.get(number);
    if (!part || part.etag !== etag) throw invalidPart(upload, number, etag);
    checkPart(upload, part, checksums);
    if (index < requested.length - 1 && part.size < room.limits.minPartBytes) {
      throw new AwsError(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(room.limits.minPartBytes),
        PartNumber: String(number),
        ETag: etag,
      });
    }
    return part;
  });
}

function checkPart(upload: Upload, part: Segment, checksums: RequestedPart['checksums']): void {
  const { algorithm } = upload;
  const claimed = algorithm === null ? undefined : checksums.get(algorithm);
  if (algorithm !== null && claimed === undefined && checksums.size === 0) {
    if (upload.checksumType === 'FULL_OBJECT') return;
    throw invalidRequest(
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. ` +
        `It was missing for part ${part.number} in the request.`,
    );
  }
  for (const other of checksums.keys()) {
    if (algorithm === null) throw invalidPart(upload, part.number, part.etag);
    if (other !== algorithm) {
      throw new AwsError(
        400,
        'BadDigest',
        `The ${other.toLowerCase()} you specified for part ${part.number} did not match what we received.`,
      );
    }
  }
  if (claimed !== undefined && claimed !== part.checksum?.value) throw invalidPart(upload, part.number, part.etag);
}

function checkedChecksum({ request }: Call, upload: Upload, parts: Segment[]): Checksum {
  const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
  const values = parts.map(({ checksum, size }) => ({ value: checksum?.value ?? '', size }));
  const checksum = checksumOfParts(algorithm, upload.checksumType ?? 'FULL_OBJECT', values);
  const claimed = request.headers[checksumHeader(algorithm)];
  if (claimed !== undefined && claimed !== checksum.value && claimed !== checksum.value.replace(/-\d+$/, '')) {
    throw new AwsError(400, 'BadDigest', `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`);
  }
  return checksum;
}

function invalidPart({ upload }: Upload, number: number, etag: string): AwsError {
  const message =
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
  return new AwsError(400, 'InvalidPart', message, { UploadId: upload, PartNumber: String(number), ETag: etag });
}
