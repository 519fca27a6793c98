/** CRC-32C (Castagnoli), which node:zlib does not have. Slicing-by-8: eight bytes a step from eight tables. */

/** Reflected polynomial. @see https://datatracker.ietf.org/doc/html/rfc3720#appendix-B.4 */
export const CRC32C_POLYNOMIAL = 0x82f63b78;

const TABLES = buildTables();

/** Continues `crc` (0 at the start) over `data`. */
export function crc32c(data: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let state = ~crc;
  let at = 0;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (const end = data.length - 7; at < end; at += 8) {
    const low = state ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    state =
      entry(t7, low) ^
      entry(t6, low >>> 8) ^
      entry(t5, low >>> 16) ^
      entry(t4, low >>> 24) ^
      entry(t3, high) ^
      entry(t2, high >>> 8) ^
      entry(t1, high >>> 16) ^
      entry(t0, high >>> 24);
  }
  for (; at < data.length; at += 1) state = entry(t0, state ^ view.getUint8(at)) ^ (state >>> 8);
  return ~state >>> 0;
}

type Tables = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function entry(table: Int32Array, index: number): number {
  return table[index & 0xff] as number;
}

function buildTables(): Tables {
  const table = () => new Int32Array(256);
  const tables: Tables = [table(), table(), table(), table(), table(), table(), table(), table()];
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
    tables[0][byte] = value;
  }
  for (let slice = 1; slice < 8; slice += 1) {
    const before = tables[slice - 1] ?? tables[0];
    for (let byte = 0; byte < 256; byte += 1) {
      const value = entry(before, byte);
      (tables[slice] ?? tables[0])[byte] = (value >>> 8) ^ entry(tables[0], value);
    }
  }
  return tables;
}
