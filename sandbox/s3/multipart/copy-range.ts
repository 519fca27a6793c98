/** `x-amz-copy-source-range`. */
import type { AwsError } from '../../aws-error.ts';
import { invalidArgument, invalidRequest } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ByteRange } from '../object/range.ts';

const HEADER = 'x-amz-copy-source-range';

/**
 * Gives what of a source of `size` bytes becomes a part: all of it without the header. Unlike a Range header, both ends must be
 * there and inside the source. Throws AwsError.
 * That the source must be larger than 5 MB is documented; that this error stands for it is unverified.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html#API_UploadPartCopy_RequestSyntax
 */
export function parseCopyRange(header: string | string[] | undefined, size: number, limits: Limits): ByteRange {
  if (header === undefined) return { start: 0, length: size };
  const text = String(header);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(text) ?? [];
  const start = Number(first);
  const end = Number(last);
  if (first === undefined || last === undefined || start > end) throw malformed(text);
  if (start >= size) throw invalidRequest('The specified copy range is invalid for the source object size');
  if (end >= size) throw invalidArgument(`Range specified is not valid for source object of size: ${size}`, HEADER, text);
  if (size <= limits.minRangeSourceBytes) {
    throw invalidRequest('The specified copy source is not supported as a byte-range copy source.');
  }
  return { start, length: end - start + 1 };
}

function malformed(text: string): AwsError {
  return invalidArgument(
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    HEADER,
    text,
  );
}
