/** The Range header of a read. */
import { AwsError } from '../../aws-error.ts';

export interface ByteRange {
  start: number;
  /** Bytes. */
  length: number;
}

/**
 * Gives the range that is asked for, `null` for the whole object: without a header, and for ranges that S3 ignores
 * (more than one, or malformed). Throws AwsError 416 when nothing of the object is inside.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw notSatisfiable(header, size);
    return { start: size - length, length };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) throw notSatisfiable(header, size);
  return { start, length: end - start + 1 };
}

/** `bytes 0-9/100` */
export function contentRange({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}

function notSatisfiable(header: string | undefined, size: number): AwsError {
  return new AwsError(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: header ?? '',
    ActualObjectSize: String(size),
  });
}
