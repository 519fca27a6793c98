import { quoted, sendEmpty } from '../answer.ts';
import { DEFAULT_ENCRYPTION } from '../bucket/encryption-configuration.ts';
import { type Checksum, checksumHeader } from '../checksum/algorithm.ts';
import { newEncryptionHeaders } from '../encryption/answer.ts';
import { chooseEncryption } from '../encryption/request.ts';
import { type Call, keyCaller } from '../room.ts';
import { receive, writeFile } from './body.ts';
import { commit, etagOf, newVersionHeader } from './commit.ts';
import { DEFAULT_ALGORITHM, measure, parseClaim } from './integrity.ts';
import { parseHeaders, parseStorageClass, parseTags, refuseAcl } from './metadata.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject(call: Call): Promise<void> {
  const { room, request, response, key } = call;
  const { headers } = request;
  const bucket = room.buckets.get(call.bucket);
  refuseAcl(headers);
  const claim = parseClaim(headers);
  const stored = {
    headers: parseHeaders(headers, room.limits),
    tags: parseTags(headers, room.limits),
    storage: parseStorageClass(headers),
  };
  const write = { headers, secure: request.secure, principalArn: call.principal.arn, action: 's3:PutObject' };
  const owner = { bucket: bucket.name, key };
  const choice = chooseEncryption(write, bucket.settings.encryption ?? DEFAULT_ENCRYPTION, owner);
  const { sealed, layers } = room.encryption.seal(choice, owner, keyCaller(call));

  const algorithm = claim.algorithm ?? DEFAULT_ALGORITHM;
  const integrity = measure(claim, { md5: sealed.mode === 'sse-s3', algorithm });
  const file = await writeFile(room, await receive(room, request, room.limits.maxPutBytes), layers, integrity.update);
  let checksum: Checksum;
  let etag: string;
  try {
    const { md5, checksums } = integrity.finish(request.trailers);
    checksum = { algorithm, type: 'FULL_OBJECT', value: checksums.get(algorithm) ?? '' };
    etag = etagOf(sealed.mode, md5);
  } catch (error) {
    room.blobs.remove([file.blob]);
    throw error;
  }

  const record = commit(call, {
    draft: { key, size: file.size, etag, checksum, sealed, parts: null, ...stored },
    event: 's3:ObjectCreated:Put',
    attach: ({ id }) => room.segments.insert(id, { ...file, number: 1, etag, modified: Date.now(), checksum: null }),
    files: [file.blob],
  });
  sendEmpty(response, 200, {
    etag: quoted(record.etag),
    ...checksumHeaders(checksum),
    ...newVersionHeader(room, bucket.name, record),
    ...newEncryptionHeaders(sealed, choice.mode === 'sse-c' ? choice.customerKey : null),
  });
}

/** `x-amz-checksum-crc32` and so on, with `x-amz-checksum-type`. */
export function checksumHeaders({ algorithm, type, value }: Checksum): Record<string, string> {
  return { [checksumHeader(algorithm)]: value, 'x-amz-checksum-type': type };
}
