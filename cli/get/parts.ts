/** An object as parts of one size, the last one shorter. Pure. */

export interface Part {
  /** Counts from 0. */
  index: number;
  /** Positions of its first and its last byte, inclusive. */
  first: number;
  last: number;
}

export function countParts(length: number, partBytes: number): number {
  return Math.ceil(length / partBytes);
}

/** @param index below `countParts` */
export function partAt(index: number, length: number, partBytes: number): Part {
  return { index, first: index * partBytes, last: Math.min((index + 1) * partBytes, length) - 1 };
}

export function sizeOf({ first, last }: Part): number {
  return last - first + 1;
}
