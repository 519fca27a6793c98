/** The CRC of a whole from the CRCs of its parts, without the bytes: how S3 makes the FULL_OBJECT checksum of a multipart upload. */

/**
 * Returns a function that gives the CRC of `first` followed by `second`. Appending zero bytes is a linear map of the CRC's
 * bits, as in zlib's crc32_combine; its powers of two are kept, because an upload may have ten thousand parts.
 * @param polynomial reflected
 */
export function crcCombiner(polynomial: bigint, width: number): (first: bigint, second: bigint, secondLength: number) => bigint {
  /** Number i appends 2^i zero bytes. */
  const powers = [square(square(square(oneZeroBit(polynomial, width))))];
  const power = (index: number): bigint[] => {
    let last = powers[powers.length - 1] ?? [];
    while (powers.length <= index) {
      last = square(last);
      powers.push(last);
    }
    return powers[index] ?? last;
  };
  return (first, second, secondLength) => {
    let shifted = first;
    for (let rest = secondLength, index = 0; rest > 0; rest = Math.floor(rest / 2), index += 1) {
      if (rest % 2 === 1) shifted = multiply(power(index), shifted);
    }
    return shifted ^ second;
  };
}

/** Column i is where bit i goes when one zero bit is appended. */
function oneZeroBit(polynomial: bigint, width: number): bigint[] {
  return Array.from({ length: width }, (_, bit) => (bit === 0 ? polynomial : 1n << BigInt(bit - 1)));
}

function multiply(matrix: bigint[], vector: bigint): bigint {
  let sum = 0n;
  for (let bit = 0, rest = vector; rest > 0n; bit += 1, rest >>= 1n) {
    if (rest & 1n) sum ^= matrix[bit] ?? 0n;
  }
  return sum;
}

function square(matrix: bigint[]): bigint[] {
  return matrix.map((column) => multiply(matrix, column));
}
