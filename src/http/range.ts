/** Byte ranges: https://www.rfc-editor.org/rfc/rfc9110#section-14. Pure. */

/** One range as it was asked for: from a first byte to a last one (`null`: to the end), or the last so many bytes. */
export type RangeSpec = { first: number; last: number | null } | { suffix: number };

/** Positions of the first and the last byte, inclusive. */
export interface ByteRange {
  first: number;
  last: number;
}

const ONE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * @returns `null`: the whole is asked for. So it is with another unit, with what is no range (`5-2`), and with more than one, which
 * this server, like S3, gives as a whole: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Range)
 */
export function parseRange(header: string | undefined): RangeSpec | null {
  const [, first = '', last = ''] = ONE_RANGE.exec(header ?? '') ?? [];
  if (first === '') return last === '' ? null : { suffix: position(last) };
  if (last === '') return { first: position(first), last: null };
  const range = { first: position(first), last: position(last) };
  return range.first > range.last ? null : range;
}

/** As a request says it. */
export function rangeHeader(spec: RangeSpec): string {
  return 'suffix' in spec ? `bytes=-${spec.suffix}` : `bytes=${spec.first}-${spec.last ?? ''}`;
}

/** @returns `null` where an answer does not say which of its bytes it holds */
export function parseContentRange(header: string | undefined): { range: ByteRange; size: number } | null {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '') ?? [];
  return size === undefined ? null : { range: { first: Number(first), last: Number(last) }, size: Number(size) };
}

/** @param range `null`: none could be satisfied */
export function contentRange(range: ByteRange | null, size: number): string {
  return range === null ? `bytes */${size}` : `bytes ${range.first}-${range.last}/${size}`;
}

/** @returns which bytes of so many are asked for; `null`: none of them: https://www.rfc-editor.org/rfc/rfc9110#section-14.1.1 */
export function satisfiedRange(spec: RangeSpec, size: number): ByteRange | null {
  const first = 'suffix' in spec ? Math.max(0, size - spec.suffix) : spec.first;
  const last = 'suffix' in spec ? size - 1 : Math.min(spec.last ?? size - 1, size - 1);
  return first > last ? null : { first, last };
}

/** A number with more digits is beyond every object. */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
