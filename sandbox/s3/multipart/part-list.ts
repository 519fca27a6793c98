/** The parts that CompleteMultipartUpload names. */
import { AwsError } from '../../aws-error.ts';
import { list, members } from '../bucket/shapes.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../checksum/algorithm.ts';
import { invalidArgument, invalidRequest, malformedXml } from '../errors.ts';
import { parseDocument } from '../xml.ts';

export interface RequestedPart {
  number: number;
  /** Without quotes. */
  etag: string;
  checksums: Map<ChecksumAlgorithm, string>;
}

/** Throws AwsError when there are none, too many, or they are not in ascending order. */
export function parsePartList(body: Buffer, uploadId: string, maxParts: number): RequestedPart[] {
  if (body.length === 0) throw invalidRequest('You must specify at least one part');
  const parts = list(members(parseDocument(body, 'CompleteMultipartUpload')).Part).map((element) => parsePart(element, maxParts));
  if (parts.length === 0) throw malformedXml();
  if (parts.length > maxParts) throw malformedXml();
  const ascending = parts.every(({ number }, index) => index === 0 || number > (parts[index - 1]?.number ?? 0));
  if (!ascending) {
    const message = 'The list of parts was not in ascending order. Parts must be ordered by part number.';
    throw new AwsError(400, 'InvalidPartOrder', message, { UploadId: uploadId });
  }
  return parts;
}

function parsePart(element: unknown, maxParts: number): RequestedPart {
  const part = members(element);
  const text = String(part.PartNumber);
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number) || typeof part.ETag !== 'string') throw malformedXml();
  if (number < 1 || number > maxParts) {
    throw invalidArgument(`Part number must be an integer between 1 and ${maxParts}, inclusive`, 'partNumber', text);
  }
  const checksums = new Map<ChecksumAlgorithm, string>();
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = part[`Checksum${algorithm}`];
    if (typeof value === 'string') checksums.set(algorithm, value);
  }
  return { number, etag: part.ETag.replaceAll('"', ''), checksums };
}
