import { quoted, sendEmpty } from '../answer.ts';
import { checksumHeader } from '../checksum/algorithm.ts';
import { encryptionHeaders } from '../encryption/answer.ts';
import { parseCustomerKey } from '../encryption/customer-key.ts';
import type { CustomerKey } from '../encryption/mode.ts';
import { refuseEncryptionHeaders } from '../encryption/request.ts';
import { isKeyOf } from '../encryption/sse-c.ts';
import { checksumTypeMismatch, invalidArgument, invalidRequest, noSuchUpload } from '../errors.ts';
import { receive, type StoredFile, writeFile } from '../object/body.ts';
import { etagOf } from '../object/commit.ts';
import { DEFAULT_ALGORITHM, type Measured, measure, parseClaim } from '../object/integrity.ts';
import { type Call, keyCaller } from '../room.ts';
import type { Segment } from '../store/segments.ts';
import type { Upload } from '../store/uploads.ts';

/** What the answer says of a part. */
export interface KeptPart {
  etag: string;
  /** Milliseconds. */
  modified: number;
  measured: Measured;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(call: Call): Promise<void> {
  const { room, request, response } = call;
  refuseEncryptionHeaders(request.headers);
  const number = parsePartNumber(call);
  const upload = findUpload(call);
  const customerKey = partKey(call, upload);
  const layers = room.encryption.open(upload.sealed, { bucket: call.bucket, key: call.key }, customerKey, keyCaller(call));
  const claim = parseClaim(request.headers);
  if (upload.algorithm !== null && claim.algorithm !== null && claim.algorithm !== upload.algorithm) {
    throw checksumTypeMismatch(upload.algorithm, claim.algorithm);
  }
  const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
  const integrity = measure(claim, { md5: upload.sealed.mode === 'sse-s3', algorithm });
  const file = await writeFile(room, await receive(room, request, room.limits.maxPutBytes), layers, integrity.update);
  const part = keepPart(call, number, file, () => integrity.finish(request.trailers));

  const answered = claim.algorithm ?? upload.algorithm;
  const value = answered === null ? undefined : part.measured.checksums.get(answered);
  sendEmpty(response, 200, {
    etag: quoted(part.etag),
    ...(answered !== null && value !== undefined ? { [checksumHeader(answered)]: value } : {}),
    ...encryptionHeaders(upload.sealed, customerKey),
  });
}

/** Finds the upload that a request names. Throws AwsError `NoSuchUpload`. */
export function findUpload({ room, request, bucket, key }: Call): Upload {
  const uploadId = request.query.get('uploadId') ?? '';
  const upload = room.uploads.find(room.buckets.get(bucket).id, key, uploadId);
  if (!upload) throw noSuchUpload(uploadId);
  return upload;
}

/** Throws AwsError `InvalidArgument`. */
export function parsePartNumber({ room, request }: Call): number {
  const text = request.query.get('partNumber') ?? '';
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= room.limits.maxParts) return number;
  throw invalidArgument(`Part number must be an integer between 1 and ${room.limits.maxParts}, inclusive`, 'partNumber', text);
}

/** Every part of an SSE-C upload carries the key that began it. Throws AwsError `InvalidRequest` for another or none. */
export function partKey({ request }: Call, { sealed }: Upload): CustomerKey | null {
  const customerKey = parseCustomerKey(request.headers, request.secure);
  if ((sealed.mode === 'sse-c') !== (customerKey !== null)) {
    throw invalidRequest(
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    );
  }
  if (sealed.mode === 'sse-c' && customerKey && !isKeyOf(sealed, customerKey)) {
    throw invalidRequest('The provided encryption parameters did not match the ones used originally.');
  }
  return customerKey;
}

/**
 * Where S3 must look at the parts' checksums, which are encrypted with them, it asks for the key too; otherwise it does not compare it.
 * Throws AwsError. That it is needed with a checksum algorithm is documented; in which words a wrong one is refused is unverified.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html#API_CompleteMultipartUpload_RequestSyntax
 */
export function checkChecksumKey(call: Call, upload: Upload): void {
  const { room, request, bucket, key } = call;
  if (upload.algorithm === null) parseCustomerKey(request.headers, request.secure);
  else room.encryption.open(upload.sealed, { bucket, key }, partKey(call, upload), keyCaller(call));
}

/**
 * Makes a written file a part of the upload that the request names, in place of an earlier one of that number.
 * Removes the file when `finish` throws or the upload has ended meanwhile.
 */
export function keepPart(call: Call, number: number, file: StoredFile, finish: () => Measured): KeptPart {
  const { room } = call;
  let replaced: string[] = [];
  try {
    const measured = finish();
    return room.transaction(() => {
      const upload = findUpload(call);
      const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
      const etag = etagOf(upload.sealed.mode, measured.md5);
      const checksum: Segment['checksum'] = { algorithm, type: 'FULL_OBJECT', value: measured.checksums.get(algorithm) ?? '' };
      replaced = room.segments.deleteOne(upload.id, number);
      const modified = Date.now();
      room.segments.insert(upload.id, { ...file, number, etag, modified, checksum });
      return { etag, modified, measured };
    });
  } catch (error) {
    replaced = [file.blob];
    throw error;
  } finally {
    room.blobs.remove(replaced);
  }
}
