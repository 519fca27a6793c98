import { createHash } from 'node:crypto';
import { quoted, sendXml } from '../answer.ts';
import { encryptionHeaders } from '../encryption/answer.ts';
import { noSuchUpload } from '../errors.ts';
import { collect } from '../object/body.ts';
import { commit, newVersionHeader } from '../object/commit.ts';
import { isStored } from '../object/find.ts';
import type { Call } from '../room.ts';
import type { CompletedUpload } from '../store/completed-uploads.ts';
import type { StoredObject } from '../store/objects.ts';
import type { Upload } from '../store/uploads.ts';
import { document } from '../xml.ts';
import { chooseParts } from './chosen-parts.ts';
import { checkedChecksum, checkSize, checkType } from './claims.ts';
import { parsePartList, type RequestedPart } from './part-list.ts';
import { checkChecksumKey } from './upload-part.ts';

/** Ten thousand parts with an ETag and a SHA-256 each. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * Whatever is refused leaves the upload as it was. After a 412 or a 404 it can be completed under another condition (tried by others on
 * AWS, as said in ../object/conditions.ts); after a 409 under none, and is there until it is aborted (unverified).
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeMultipartUpload(call: Call): Promise<void> {
  const { room, request } = call;
  const uploadId = request.query.get('uploadId') ?? '';
  const bucket = room.buckets.get(call.bucket).id;
  const requested = parsePartList(await collect(request.body, MAX_BODY_BYTES), uploadId, room.limits.maxParts);
  const upload = room.uploads.find(bucket, call.key, uploadId);
  const record = upload
    ? complete(call, upload, requested)
    : completedBefore(call, room.completedUploads.find(bucket, call.key, uploadId), requested);
  if (!record) throw noSuchUpload(uploadId);
  answer(call, record);
}

function complete(call: Call, upload: Upload, requested: RequestedPart[]): StoredObject {
  const { room, request, key } = call;
  checkType(request.headers, upload);
  const parts = chooseParts(room, upload, requested);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  checkSize(request.headers, size);
  const checksum = checkedChecksum(request.headers, upload, parts);
  checkChecksumKey(call, upload);
  const md5s = createHash('md5');
  for (const { etag } of parts) md5s.update(Buffer.from(etag, 'hex'));
  const etag = `${md5s.digest('hex')}-${parts.length}`;

  let unused: string[] = [];
  const { headers, tags, storage, sealed } = upload;
  const record = commit(call, {
    draft: { key, size, etag, checksum, headers, tags, storage, sealed, parts: parts.length },
    event: 's3:ObjectCreated:CompleteMultipartUpload',
    attach({ id, version }) {
      const numbers = parts.map(({ number }) => number);
      room.segments.move(upload.id, numbers, id);
      unused = room.segments.delete(upload.id);
      room.uploads.delete(upload.id);
      const { bucket, asked } = upload;
      room.completedUploads.insert({ upload: upload.upload, bucket, key, object: id, version, parts: namesOf(requested), asked });
    },
    files: [],
    upload,
  });
  room.blobs.remove(unused);
  return record;
}

/**
 * A completion that is sent again, as after an answer that was lost, is answered again, whatever its conditions are
 * (tried by others on AWS). Here that lasts as long as the version that it made; how long there is unverified.
 * @see https://github.com/adobe/S3Mock/issues/2586
 * @see https://github.com/getmoto/moto/pull/9209
 */
function completedBefore({ room }: Call, completed: CompletedUpload | null, requested: RequestedPart[]): StoredObject | null {
  if (!completed || JSON.stringify(namesOf(requested)) !== JSON.stringify(completed.parts)) return null;
  const record = room.objects.version(completed.bucket, completed.key, completed.version);
  return record?.id === completed.object && isStored(record) ? record : null;
}

function answer({ room, request, response, bucket, key }: Call, record: StoredObject): void {
  const result = document('CompleteMultipartUploadResult', {
    Location: `http://${request.headers.host ?? 'localhost'}/${bucket}/${encodeURIComponent(key)}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(record.etag),
    ...(record.checksum && { [`Checksum${record.checksum.algorithm}`]: record.checksum.value, ChecksumType: record.checksum.type }),
  });
  sendXml(response, result, { ...newVersionHeader(room, bucket, record), ...encryptionHeaders(record.sealed, null) });
}

function namesOf(requested: RequestedPart[]): CompletedUpload['parts'] {
  return requested.map(({ number, etag }) => [number, etag]);
}
