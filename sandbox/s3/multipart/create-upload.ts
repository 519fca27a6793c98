import { encryptionContext } from '../access/context.ts';
import { sendXml } from '../answer.ts';
import { DEFAULT_ENCRYPTION } from '../bucket/encryption-configuration.ts';
import { CHECKSUMS, type ChecksumAlgorithm, type ChecksumType } from '../checksum/algorithm.ts';
import { newEncryptionHeaders } from '../encryption/answer.ts';
import { chooseEncryption } from '../encryption/request.ts';
import { invalidRequest } from '../errors.ts';
import { parseAlgorithm } from '../object/integrity.ts';
import { parseHeaders, parseStorageClass, parseTags, refuseAcl } from '../object/metadata.ts';
import { type Call, keyCaller } from '../room.ts';
import { document } from '../xml.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export function createMultipartUpload(call: Call): void {
  const { room, request, response, key } = call;
  const { headers } = request;
  const bucket = room.buckets.get(call.bucket);
  refuseAcl(headers);
  const algorithm = parseAlgorithm(headers['x-amz-checksum-algorithm']);
  const checksumType = parseType(headers['x-amz-checksum-type'], algorithm);
  const described = {
    headers: parseHeaders(headers, room.limits),
    tags: parseTags(headers, room.limits),
    storage: parseStorageClass(headers),
  };
  const write = { headers, secure: request.secure, principalArn: call.principal.arn, action: 's3:PutObject' };
  const owner = { bucket: bucket.name, key };
  const choice = chooseEncryption(write, bucket.settings.encryption ?? DEFAULT_ENCRYPTION, owner);
  const { sealed } = room.encryption.seal(choice, owner, keyCaller(call));
  const { upload } = room.transaction(() =>
    room.uploads.insert({
      id: room.sequence.next(),
      bucket: bucket.id,
      key,
      initiated: Date.now(),
      initiator: call.principal.arn,
      asked: encryptionContext(request),
      algorithm,
      checksumType,
      sealed,
      ...described,
    }),
  );
  sendXml(response, document('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: upload }), {
    ...newEncryptionHeaders(sealed, choice.mode === 'sse-c' ? choice.customerKey : null),
    ...(algorithm && checksumType ? { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': checksumType } : {}),
  });
}

function parseType(header: string | string[] | undefined, algorithm: ChecksumAlgorithm | null): ChecksumType | null {
  if (algorithm === null) {
    if (header === undefined) return null;
    throw invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  const { defaultType, combine } = CHECKSUMS[algorithm];
  if (header === undefined) return defaultType;
  const type = String(header).toUpperCase();
  if (type !== 'COMPOSITE' && type !== 'FULL_OBJECT') throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
  const impossible = type === 'FULL_OBJECT' ? combine === null : algorithm === 'CRC64NVME';
  if (impossible) throw invalidRequest(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  return type;
}
