/** CRC-64/NVME, S3's default. Slicing-by-8 on two 32-bit halves, because JavaScript's 64-bit integers are objects. */

/** Reflected polynomial. @see https://nvmexpress.org/wp-content/uploads/NVM-Express-NVM-Command-Set-Specification-1.0d-2023.12.28-Ratified.pdf (5.2.1.3.4) */
export const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

/** 8 tables of 256 entries, one after the other; the low and the high half of each entry. */
const { LOW, HIGH } = buildTables();

/** Continues `crc` (0 at the start) over `data`. */
export function crc64nvme(data: Uint8Array, crc = 0n): bigint {
  let low = ~Number(crc & 0xffffffffn);
  let high = ~Number(crc >> 32n);
  let at = 0;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (const end = data.length - 7; at < end; at += 8) {
    const a = low ^ view.getInt32(at, true);
    const b = high ^ view.getInt32(at + 4, true);
    const i0 = 1792 | (a & 0xff);
    const i1 = 1536 | ((a >>> 8) & 0xff);
    const i2 = 1280 | ((a >>> 16) & 0xff);
    const i3 = 1024 | (a >>> 24);
    const i4 = 768 | (b & 0xff);
    const i5 = 512 | ((b >>> 8) & 0xff);
    const i6 = 256 | ((b >>> 16) & 0xff);
    const i7 = b >>> 24;
    low = at32(LOW, i0) ^ at32(LOW, i1) ^ at32(LOW, i2) ^ at32(LOW, i3) ^ at32(LOW, i4) ^ at32(LOW, i5) ^ at32(LOW, i6) ^ at32(LOW, i7);
    high =
      at32(HIGH, i0) ^ at32(HIGH, i1) ^ at32(HIGH, i2) ^ at32(HIGH, i3) ^ at32(HIGH, i4) ^ at32(HIGH, i5) ^ at32(HIGH, i6) ^ at32(HIGH, i7);
  }
  for (; at < data.length; at += 1) {
    const index = (low ^ view.getUint8(at)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ at32(LOW, index);
    high = (high >>> 8) ^ at32(HIGH, index);
  }
  return (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
}

function at32(table: Int32Array, index: number): number {
  return table[index] as number;
}

function buildTables(): { LOW: Int32Array; HIGH: Int32Array } {
  const wide = new BigUint64Array(2048);
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ CRC64NVME_POLYNOMIAL : value >> 1n;
    wide[byte] = value;
  }
  for (let index = 256; index < 2048; index += 1) {
    const before = wide[index - 256] ?? 0n;
    wide[index] = (before >> 8n) ^ (wide[Number(before & 0xffn)] ?? 0n);
  }
  const low = new Int32Array(2048);
  const high = new Int32Array(2048);
  wide.forEach((value, index) => {
    low[index] = Number(value & 0xffffffffn) | 0;
    high[index] = Number(value >> 32n) | 0;
  });
  return { LOW: low, HIGH: high };
}
