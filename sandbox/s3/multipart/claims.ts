/** What a completion says of the whole object, which must be so before anything of it can be seen. */
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../../aws-error.ts';
import { CHECKSUM_ALGORITHMS, type Checksum, checksumHeader, checksumOfParts } from '../checksum/algorithm.ts';
import { checksumTypeMismatch, invalidRequest, severalChecksums } from '../errors.ts';
import { checkedValue, DEFAULT_ALGORITHM } from '../object/integrity.ts';
import type { Segment } from '../store/segments.ts';
import type { Upload } from '../store/uploads.ts';

const PARTS_SUFFIX = /-\d+$/;

/** Throws AwsError `InvalidRequest`. */
export function checkType(headers: IncomingHttpHeaders, upload: Upload): void {
  const type = headers['x-amz-checksum-type'];
  if (type === undefined || type === upload.checksumType) return;
  throw invalidRequest(
    `The upload was created using the ${upload.checksumType ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
  );
}

/** Throws AwsError `InvalidRequest`. */
export function checkSize(headers: IncomingHttpHeaders, size: number): void {
  const claimed = headers['x-amz-mp-object-size'];
  if (claimed === undefined) return;
  if (!/^\d+$/.test(String(claimed))) throw invalidRequest('Value for x-amz-mp-object-size header is invalid.');
  if (Number(claimed) === size) return;
  throw invalidRequest(`The provided 'x-amz-mp-object-size' header value ${claimed} does not match what was computed: ${size}`);
}

/** The checksum of the whole. Throws AwsError: `BadDigest`, or `InvalidRequest` for a claim that cannot be compared. */
export function checkedChecksum(headers: IncomingHttpHeaders, upload: Upload, parts: Segment[]): Checksum {
  const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
  const claims = CHECKSUM_ALGORITHMS.filter((name) => headers[checksumHeader(name)] !== undefined);
  if (claims.length > 1) throw severalChecksums();
  const values = parts.map(({ checksum, size }) => ({ value: checksum?.value ?? '', size }));
  const checksum = checksumOfParts(algorithm, upload.checksumType ?? 'FULL_OBJECT', values);
  const [claimed] = claims;
  if (claimed === undefined) return checksum;
  if (claimed !== algorithm) throw checksumTypeMismatch(upload.algorithm, claimed);
  const header = String(headers[checksumHeader(algorithm)]);
  const plain = checksum.type === 'COMPOSITE' ? header.replace(PARTS_SUFFIX, '') : header;
  checkedValue(algorithm, plain);
  if (header !== checksum.value && plain !== checksum.value.replace(PARTS_SUFFIX, '')) {
    throw new AwsError(400, 'BadDigest', `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`);
  }
  return checksum;
}
