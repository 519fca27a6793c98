import { isoDate, quoted, sendXml } from '../answer.ts';
import { encryptionHeaders } from '../encryption/answer.ts';
import { refuseEncryptionHeaders } from '../encryption/request.ts';
import { copySourceTooLarge } from '../errors.ts';
import { openCopySource } from '../object/copy-source.ts';
import { DEFAULT_ALGORITHM } from '../object/integrity.ts';
import { transfer } from '../object/transfer.ts';
import { type Call, keyCaller } from '../room.ts';
import { document } from '../xml.ts';
import { parseCopyRange } from './copy-range.ts';
import { findUpload, keepPart, parsePartNumber, partKey } from './upload-part.ts';

/**
 * Makes (a range of) another object a part. The source is read as it was when the request came, whatever happens to it meanwhile.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export async function uploadPartCopy(call: Call): Promise<void> {
  const { room, request, response, bucket, key } = call;
  refuseEncryptionHeaders(request.headers);
  const number = parsePartNumber(call);
  const upload = findUpload(call);
  const customerKey = partKey(call, upload);
  const layers = room.encryption.open(upload.sealed, { bucket, key }, customerKey, keyCaller(call));
  const source = openCopySource(call);
  const range = parseCopyRange(request.headers['x-amz-copy-source-range'], source.record.size, room.limits);
  if (range.length > room.limits.maxPutBytes) throw copySourceTooLarge(room.limits.maxPutBytes);

  const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
  const wanted = { md5: upload.sealed.mode === 'sse-s3', algorithm };
  const { file, measured } = await transfer(room, source, range, layers, wanted);
  const part = keepPart(call, number, file, () => measured);

  const result = document('CopyPartResult', {
    ETag: quoted(part.etag),
    LastModified: isoDate(part.modified),
    ...(upload.algorithm === null ? {} : { [`Checksum${algorithm}`]: part.measured.checksums.get(algorithm) }),
  });
  sendXml(response, result, {
    ...(source.bucket.settings.versioning ? { 'x-amz-copy-source-version-id': source.record.version } : {}),
    ...encryptionHeaders(upload.sealed, customerKey),
  });
}
